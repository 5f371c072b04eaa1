/* poller_epoll.c: poller.h on epoll and timerfd.
 *
 * The epoll descriptor holds curl's sockets and one timerfd, armed for the
 * earliest of curl's own timer, the alarm and look_at. libcurl: curl_multi_socket_action(3).
 */
#define _POSIX_C_SOURCE          200809L
#define CURL_DISABLE_DEPRECATION /* curl_multi_socket_all */
#include "poller.h"

#if LLMG_EPOLL

#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"

#define BATCH       64 /* events asked of the kernel at once */
#define MAX_ROUNDS  32 /* batches before the caller gets a turn */
#define BLIND_PAUSE (CLOCK_SECOND / 50)

struct poller {
  CURLM *multi;
  int epoll_fd, timer_fd;
  int64_t curl_due; /* when curl wants to be called, or CLOCK_NEVER */
  int64_t alarm;
  int64_t look_at; /* when to look at everything, where the kernel refused to watch it, or
                      CLOCK_NEVER */
  int64_t armed;   /* what the timerfd is set to, or CLOCK_NEVER */
};

static int64_t sooner(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* A moment of 0 would disarm the timerfd, so the past becomes the first nanosecond. */
static void arm(poller *p) {
  int64_t moment = sooner(sooner(p->curl_due, p->alarm), p->look_at);
  struct itimerspec at = {{0, 0}, {0, 0}};
  if (moment == p->armed) return;
  p->armed = moment;
  if (moment < 1) moment = 1;
  if (moment != CLOCK_NEVER) {
    at.it_value.tv_sec = (time_t)(moment / CLOCK_SECOND);
    at.it_value.tv_nsec = (long)(moment % CLOCK_SECOND);
  }
  timerfd_settime(p->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* CURLMOPT_TIMERFUNCTION */
static int on_timer(CURLM *multi, long timeout_ms, void *self) {
  poller *p = self;
  (void)multi;
  p->curl_due = timeout_ms < 0 ? CLOCK_NEVER : clock_now() + timeout_ms * (CLOCK_SECOND / 1000);
  arm(p);
  return 0;
}

static uint32_t interest(int what) {
  return (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
         (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
}

/* CURLMOPT_SOCKETFUNCTION; `known` is set once a socket is in the epoll. A removal may come after
 * the socket was closed, which took it out already. libcurl must not hear that the kernel has no
 * room for one more: it would drive nothing again, and 7.88 would use what it has freed. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *known) {
  poller *p = self;
  struct epoll_event event;
  (void)easy;
  memset(&event, 0, sizeof event);
  event.data.fd = fd;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, fd, &event);
    return 0;
  }
  event.events = interest(what);
  if (epoll_ctl(p->epoll_fd, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0)
    p->look_at = 0;
  else if (known == NULL)
    curl_multi_assign(p->multi, fd, p);
  return 0;
}

static bool open_descriptors(poller *p) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (p->epoll_fd < 0 || p->timer_fd < 0) return false;
  event.events = EPOLLIN;
  event.data.fd = p->timer_fd;
  return epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->timer_fd, &event) == 0;
}

poller *poller_new(CURLM *multi) {
  poller *p = mem_zeroed(sizeof *p);
  if (p == NULL) return NULL;
  p->multi = multi;
  p->curl_due = p->alarm = p->look_at = p->armed = CLOCK_NEVER;
  p->epoll_fd = p->timer_fd = -1;
  if (!open_descriptors(p)) {
    poller_free(p);
    return NULL;
  }
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, p);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, p);
  return p;
}

void poller_free(poller *p) {
  if (p == NULL) return;
  if (p->timer_fd >= 0) close(p->timer_fd);
  if (p->epoll_fd >= 0) close(p->epoll_fd);
  mem_free(p);
}

int poller_fd(const poller *p) {
  return p->epoll_fd;
}

void poller_alarm(poller *p, int64_t moment) {
  p->alarm = moment;
  arm(p);
}

static void act(poller *p, curl_socket_t fd, int bits) {
  int running;
  curl_multi_socket_action(p->multi, fd, bits, &running);
}

static void act_on_socket(poller *p, const struct epoll_event *event) {
  int bits = 0;
  if (event->events & EPOLLIN) bits |= CURL_CSELECT_IN;
  if (event->events & EPOLLOUT) bits |= CURL_CSELECT_OUT;
  if (event->events & (EPOLLERR | EPOLLHUP)) bits |= CURL_CSELECT_ERR;
  act(p, event->data.fd, bits);
}

static void read_timer(poller *p) {
  uint64_t expirations;
  ssize_t n = read(p->timer_fd, &expirations, sizeof expirations);
  if (n > 0) p->armed = CLOCK_NEVER;
}

static void act_on_timer(poller *p) {
  if (clock_now() < p->curl_due) return;
  p->curl_due = CLOCK_NEVER;
  act(p, CURL_SOCKET_TIMEOUT, 0);
}

void poller_rest(poller *p) {
  p->curl_due = p->alarm = p->look_at = CLOCK_NEVER;
  arm(p);
}

static void look_at_all(poller *p) {
  int running;
  curl_multi_socket_all(p->multi, &running);
}

/* One socket is not watched, and nobody knows for how long: from here on this loop polls. */
static void look_where_blind(poller *p) {
  int64_t now = clock_now();
  if (now < p->look_at) return;
  look_at_all(p);
  p->look_at = now + BLIND_PAUSE;
}

/* Returns whether time ran out before the last event. */
static bool act_on_events(poller *p, const struct epoll_event *events, int n, int64_t give_back) {
  for (int i = 0; i < n; i++) {
    if (events[i].data.fd == p->timer_fd)
      read_timer(p);
    else
      act_on_socket(p, &events[i]);
    if (i + 1 < n && give_back != CLOCK_NEVER && clock_now() >= give_back) return true;
  }
  return false;
}

bool poller_drive(poller *p, int64_t until, int64_t budget) {
  struct epoll_event events[BATCH];
  int64_t give_back = CLOCK_NEVER;
  bool more = true;
  int timeout = clock_poll_timeout(clock_now(), sooner(sooner(p->alarm, p->look_at), until));
  for (int round = 0; more && round < MAX_ROUNDS; round++) {
    int n = epoll_wait(p->epoll_fd, events, BATCH, round == 0 ? timeout : 0);
    if (round == 0 && budget != CLOCK_NEVER) give_back = clock_after(clock_now(), budget);
    more = n == BATCH;
    if (!act_on_events(p, events, n, give_back)) continue;
    more = true;
    break;
  }
  act_on_timer(p);
  look_where_blind(p);
  arm(p);
  return !more;
}

void poller_nudge(poller *p, int fd) {
  if (fd >= 0) act(p, fd, CURL_CSELECT_IN);
}

/* The first time libcurl gives an address up, the second time it opens the socket for the next. */
void poller_look_around(poller *p) {
  look_at_all(p);
  look_at_all(p);
}

#else
typedef int poller_epoll_is_not_built;
#endif
