/* poller_epoll.c: poller.h on epoll.
 *
 * The epoll descriptor holds libcurl's sockets and, for a host that watches it,
 * an eventfd that is readable while there is something to do now, and a timerfd
 * for what is to do later: the earliest of libcurl's own timer, the alarm and
 * look_at. Setting a timerfd costs forty times what a write to an eventfd does.
 * libcurl: curl_multi_socket_action(3).
 */
#define _POSIX_C_SOURCE          200809L
#define CURL_DISABLE_DEPRECATION /* curl_multi_socket_all */
#include "poller.h"

#if LLMG_EPOLL

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
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
  int epoll_fd, timer_fd, now_fd;
  int64_t curl_due; /* when libcurl wants to be called, or CLOCK_NEVER */
  int64_t alarm;
  int64_t look_at; /* when to look at everything, where the kernel refused to watch it, or
                      CLOCK_NEVER */
  int64_t armed;   /* what the timerfd is set to, or CLOCK_NEVER */
  bool shows_now;  /* now_fd is readable */
  bool watched;    /* by a host */
  bool driving;    /* what the descriptor shows is settled when that ends */
  poller_wait wait;
};

static int64_t sooner(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t earliest(const poller *p) {
  return sooner(sooner(p->curl_due, p->alarm), p->look_at);
}

/* ---- what the descriptor shows ---- */

static void show_now(poller *p, bool wanted) {
  uint64_t count = 1;
  if (p->shows_now == wanted) return;
  p->shows_now = wanted;
  ssize_t n =
      wanted ? write(p->now_fd, &count, sizeof count) : read(p->now_fd, &count, sizeof count);
  (void)n;
}

static void set_timer(poller *p, int64_t moment) {
  struct itimerspec at = {{0, 0}, {0, 0}};
  p->armed = moment;
  if (moment != CLOCK_NEVER) {
    at.it_value.tv_sec = (time_t)(moment / CLOCK_SECOND);
    at.it_value.tv_nsec = (long)(moment % CLOCK_SECOND);
  }
  timerfd_settime(p->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* A timer that is set too early wakes the host once in vain, and costs less than setting it anew
 * each time. */
static void show(poller *p) {
  if (!p->watched || p->driving) return;
  int64_t moment = earliest(p);
  bool now = moment != CLOCK_NEVER && moment <= clock_now();
  show_now(p, now);
  if (!now && moment < p->armed) set_timer(p, moment);
}

/* CURLMOPT_TIMERFUNCTION */
static int on_timer(CURLM *multi, long timeout_ms, void *self) {
  poller *p = self;
  (void)multi;
  p->curl_due = timeout_ms < 0 ? CLOCK_NEVER : clock_now() + timeout_ms * (CLOCK_SECOND / 1000);
  show(p);
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

poller *poller_new(CURLM *multi) {
  poller *p = mem_zeroed(sizeof *p);
  if (p == NULL) return NULL;
  p->multi = multi;
  p->curl_due = p->alarm = p->look_at = p->armed = CLOCK_NEVER;
  p->epoll_fd = p->timer_fd = p->now_fd = -1;
  p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (p->epoll_fd < 0) {
    mem_free(p);
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
  if (p->now_fd >= 0) close(p->now_fd);
  if (p->epoll_fd >= 0) close(p->epoll_fd);
  mem_free(p);
}

static bool watch(const poller *p, int fd) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (fd < 0) return false;
  return epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST;
}

static void open_clocks(poller *p) {
  if (p->timer_fd < 0) p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (p->now_fd < 0) p->now_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  p->watched = watch(p, p->timer_fd) && watch(p, p->now_fd);
}

/* Without room for its clocks the descriptor would not tell all. */
int poller_watch(poller *p) {
  if (!p->watched) open_clocks(p);
  show(p);
  return p->watched ? p->epoll_fd : -1;
}

void poller_alarm(poller *p, int64_t moment) {
  p->alarm = moment;
  show(p);
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
  show(p);
  if (p->armed != CLOCK_NEVER) set_timer(p, CLOCK_NEVER);
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
    else if (events[i].data.fd != p->now_fd)
      act_on_socket(p, &events[i]);
    if (i + 1 < n && give_back != CLOCK_NEVER && clock_now() >= give_back) return true;
  }
  return false;
}

/* A signal, as when a stopped process goes on, ends a wait without a look at what came. */
static int wait(poller *p, struct epoll_event *events, int64_t until) {
  int64_t began = clock_now();
  int ms = clock_poll_timeout(began, sooner(earliest(p), until));
  int n = epoll_wait(p->epoll_fd, events, BATCH, ms);
  if (n < 0 && errno == EINTR) n = epoll_wait(p->epoll_fd, events, BATCH, 0);
  p->wait.took = clock_now() - began;
  p->wait.late = ms < 0 ? 0 : p->wait.took - ms * (CLOCK_SECOND / 1000);
  return n;
}

static bool act_on_sockets(poller *p, int64_t until, int64_t budget) {
  struct epoll_event events[BATCH];
  int n = wait(p, events, until);
  int64_t give_back = budget == CLOCK_NEVER ? CLOCK_NEVER : clock_after(clock_now(), budget);
  for (int round = 1;; round++) {
    if (act_on_events(p, events, n, give_back)) return false;
    if (n < BATCH) return true;
    if (round == MAX_ROUNDS) return false;
    n = epoll_wait(p->epoll_fd, events, BATCH, 0);
  }
}

bool poller_drive(poller *p, int64_t until, int64_t budget) {
  p->driving = true;
  show_now(p, false);
  bool all = act_on_sockets(p, until, budget);
  act_on_timer(p);
  look_where_blind(p);
  p->driving = false; /* the loop sets its alarm next, which shows all of it */
  return all;
}

poller_wait poller_last_wait(const poller *p) {
  return p->wait;
}

void poller_reread(poller *p, curl_socket_t fd) {
  act(p, fd, CURL_CSELECT_IN);
}

/* The first time libcurl gives an address up, the second time it opens the socket for the next. */
void poller_poke_all(poller *p) {
  look_at_all(p);
  look_at_all(p);
}

#else
typedef int poller_epoll_is_not_built;
#endif
