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
  poller_wait wait;
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

int poller_watch(poller *p) {
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

static void wait(poller *p, int ms) {
  int64_t began = clock_now();
  curl_multi_poll(p->multi, NULL, 0, ms < 0 ? LONGEST_POLL_MS : ms, NULL);
  p->wait.took = clock_now() - began;
  p->wait.late = ms < 0 ? 0 : p->wait.took - ms * (CLOCK_SECOND / 1000);
}

/* libcurl's own timers bound the wait inside curl_multi_poll. Performing first could consume the
 * very event we are about to wait for. All sockets are served in one call: the budget cannot be
 * kept closer. */
bool poller_drive(poller *p, int64_t until, int64_t budget) {
  int running;
  (void)budget;
  int ms = clock_poll_timeout(clock_now(), until < p->alarm ? until : p->alarm);
  p->wait = (poller_wait){0, 0};
  if (ms != 0) wait(p, ms);
  curl_multi_perform(p->multi, &running);
  return true;
}

poller_wait poller_last_wait(const poller *p) {
  return p->wait;
}

/* Every call of poller_drive looks. */
void poller_reread(poller *p, curl_socket_t fd) {
  (void)p, (void)fd;
}

void poller_poke_all(poller *p) {
  (void)p;
}

#else
typedef int poller_multi_is_not_built;
#endif
