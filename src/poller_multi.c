/* poller_multi.c: poller.h on curl_multi_poll(3), wherever libcurl works.
 *
 * There is no descriptor: a host drives the loop itself, now and then.
 */
#include "poller_class.h"

#include "clock.h"
#include "mem.h"

#define LONGEST_POLL_MS (24 * 60 * 60 * 1000) /* curl_multi_poll knows no "no limit" */

static poller *make(CURLM *multi) {
  (void)multi;
  return mem_zeroed(sizeof(poller));
}

static void free_it(poller *p) {
  mem_free(p);
}

static int watch(poller *p) {
  (void)p;
  return -1;
}

static void nothing(poller *p) {
  (void)p;
}

static void wait(poller *p, int ms) {
  int64_t began = clock_now();
  curl_multi_poll(p->multi, NULL, 0, ms < 0 ? LONGEST_POLL_MS : ms, NULL);
  p->wait.took = clock_now() - began;
  p->wait.late = ms < 0 ? 0 : p->wait.took - ms * (ONE_SECOND / 1000);
}

/* libcurl's own timers bound the wait inside curl_multi_poll. Performing first could consume the
 * very event we are about to wait for. All sockets are served in one call: the budget cannot be
 * kept closer. */
static bool drive(poller *p, int64_t until, int64_t budget) {
  int running;
  (void)budget;
  int ms = clock_poll_timeout(clock_now(), until < p->alarm ? until : p->alarm);
  p->wait = (poller_wait){0, 0};
  if (ms != 0) wait(p, ms);
  curl_multi_perform(p->multi, &running);
  return true;
}

/* Every drive looks at everything. */
static void reread(poller *p, curl_socket_t fd) {
  (void)p, (void)fd;
}

const poller_class poller_multi = {make, free_it, watch, nothing, nothing, drive, reread, nothing};
