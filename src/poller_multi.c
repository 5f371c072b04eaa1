/* poller_multi.c: poller.h on curl_multi_poll(3), for systems without epoll.
 *
 * There is no descriptor: a host drives the loop itself, now and then.
 */
#include "poller.h"

#if !LLMG_EPOLL

#include "clock.h"
#include "mem.h"

struct poller {
  CURLM *multi;
  int64_t alarm;
};

poller *poller_new(CURLM *multi) {
  poller *p = mem_zeroed(sizeof *p);
  if (p == NULL) return NULL;
  p->multi = multi;
  p->alarm = CLOCK_NEVER;
  return p;
}

void poller_free(poller *p) {
  mem_free(p);
}

int poller_fd(const poller *p) {
  (void)p;
  return -1;
}

void poller_alarm(poller *p, int64_t moment) {
  p->alarm = moment;
}

void poller_rest(poller *p) {
  p->alarm = CLOCK_NEVER;
}

#define LONGEST_POLL_MS (24 * 60 * 60 * 1000) /* curl_multi_poll knows no "no limit" */

/* Curl's own timers bound the wait inside curl_multi_poll. To perform first would be to wait after
 * what was waited for. All sockets are served in one call: the budget
 * cannot be kept closer. */
bool poller_drive(poller *p, int64_t until, int64_t budget) {
  int running;
  (void)budget;
  int ms = clock_poll_timeout(clock_now(), until < p->alarm ? until : p->alarm);
  if (ms != 0) curl_multi_poll(p->multi, NULL, 0, ms < 0 ? LONGEST_POLL_MS : ms, NULL);
  curl_multi_perform(p->multi, &running);
  return true;
}

/* Every call of poller_drive looks. */
void poller_nudge(poller *p, int fd) {
  (void)p, (void)fd;
}

void poller_look_around(poller *p) {
  (void)p;
}

#else
typedef int poller_multi_is_not_built;
#endif
