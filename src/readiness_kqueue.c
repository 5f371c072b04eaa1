/* readiness_kqueue.c: readiness.h on kqueue, with a pipe for "now" and a kernel timer for "later".
 *
 * macOS and the BSDs differ in what they know beyond reading, writing and a
 * timer in milliseconds; nothing else is used.
 */
#include "readiness.h"

#ifdef LLMG_KQUEUE

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

#include <sys/event.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define TIMER_IDENT 1 /* of the timer; idents of sockets have another filter */
#define MILLISECOND (ONE_SECOND / 1000)

static void close_on_exec(int fd) {
  if (fd >= 0) (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int readiness_open(readiness *r) {
  *r = (readiness){-1, -1, -1, -1, CLOCK_NEVER, false};
  r->fd = kqueue();
  close_on_exec(r->fd);
  return r->fd < 0 ? -1 : 0;
}

void readiness_close(readiness *r) {
  if (r->now_fd >= 0) close(r->now_fd);
  if (r->now_write_fd >= 0) close(r->now_write_fd);
  if (r->fd >= 0) close(r->fd);
  r->fd = r->now_fd = r->now_write_fd = -1;
}

static int change(readiness *r, int fd, short filter, unsigned short flags) {
  struct kevent event;
  EV_SET(&event, (uintptr_t)fd, filter, flags, 0, 0, 0);
  return kevent(r->fd, &event, 1, NULL, 0, NULL);
}

/* A filter that is taken out and was not there is no failure. */
static bool want(readiness *r, int fd, short filter, bool wanted) {
  int status = change(r, fd, filter, wanted ? EV_ADD : EV_DELETE);
  return status == 0 || !wanted;
}

bool readiness_set(readiness *r, curl_socket_t fd, int what, bool known) {
  (void)known;
  bool reads = want(r, fd, EVFILT_READ, (what & CURL_POLL_IN) != 0);
  bool writes = want(r, fd, EVFILT_WRITE, (what & CURL_POLL_OUT) != 0);
  return reads && writes;
}

void readiness_remove(readiness *r, curl_socket_t fd) {
  want(r, fd, EVFILT_READ, false);
  want(r, fd, EVFILT_WRITE, false);
}

/* ---- clocks ---- */

static bool open_pipe(readiness *r) {
  int ends[2];
  if (r->now_fd >= 0) return true;
  if (pipe(ends) != 0) return false;
  for (int i = 0; i < 2; i++) {
    close_on_exec(ends[i]);
    (void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  r->now_fd = ends[0];
  r->now_write_fd = ends[1];
  return true;
}

bool readiness_open_clocks(readiness *r) {
  return open_pipe(r) && change(r, r->now_fd, EVFILT_READ, EV_ADD) == 0;
}

void readiness_show_now(readiness *r, bool wanted) {
  char byte = 1;
  if (r->shows_now == wanted) return;
  r->shows_now = wanted;
  ssize_t n = wanted ? write(r->now_write_fd, &byte, 1) : read(r->now_fd, &byte, 1);
  (void)n;
}

/* The timer counts milliseconds from now: rounded up, so that it is never early. */
void readiness_set_timer(readiness *r, int64_t moment) {
  struct kevent event;
  r->armed = moment;
  if (moment == CLOCK_NEVER) {
    EV_SET(&event, TIMER_IDENT, EVFILT_TIMER, EV_DELETE, 0, 0, 0);
  } else {
    int ms = clock_poll_timeout(clock_now(), moment);
    EV_SET(&event, TIMER_IDENT, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, ms < 1 ? 1 : ms, 0);
  }
  (void)kevent(r->fd, &event, 1, NULL, 0, NULL);
}

/* ---- waiting ---- */

static int ask(readiness *r, int ms, struct kevent *events) {
  struct timespec limit = {ms / 1000, (long)(ms % 1000 * MILLISECOND)};
  return kevent(r->fd, NULL, 0, events, READINESS_BATCH, ms < 0 ? NULL : &limit);
}

static ready_socket socket_of(const struct kevent *event) {
  int bits = event->filter == EVFILT_WRITE ? CURL_CSELECT_OUT : CURL_CSELECT_IN;
  if (event->flags & EV_ERROR) bits |= CURL_CSELECT_ERR;
  return (ready_socket){(curl_socket_t)event->ident, bits};
}

int readiness_wait(readiness *r, int ms, ready_socket *ready, bool *full) {
  struct kevent events[READINESS_BATCH];
  int n = ask(r, ms, events), sockets = 0;
  if (n < 0 && errno == EINTR) n = ask(r, 0, events);
  *full = n == READINESS_BATCH;
  for (int i = 0; i < n; i++) {
    if (events[i].filter == EVFILT_TIMER)
      r->armed = CLOCK_NEVER;
    else if ((int)events[i].ident != r->now_fd)
      ready[sockets++] = socket_of(&events[i]);
  }
  return sockets;
}

/* ---- a trial ---- */

static bool sees(readiness *r, int ms, int filter) {
  struct kevent events[READINESS_BATCH];
  int n = ask(r, ms, events);
  for (int i = 0; i < n; i++)
    if ((int)events[i].filter == filter) return true;
  return false;
}

static bool try(readiness *r) {
  if (readiness_open(r) != 0 || !readiness_open_clocks(r)) return false;
  if (sees(r, 0, EVFILT_READ)) return false;
  readiness_show_now(r, true);
  if (!sees(r, 0, EVFILT_READ)) return false;
  readiness_show_now(r, false);
  readiness_set_timer(r, clock_now() + MILLISECOND);
  return sees(r, 1000, EVFILT_TIMER);
}

/* Not every system of these could be tried when this was written: so each is, once, when the
 * first loop is made. */
bool readiness_works(void) {
  static atomic_int known = -1; /* the same from every thread */
  readiness r;
  if (known >= 0) return known == 1;
  known = try(&r);
  readiness_close(&r);
  return known == 1;
}

#else
typedef int readiness_kqueue_is_not_built;
#endif
