/* readiness_epoll.c: readiness.h on epoll, with an eventfd for "now" and a timerfd for "later".
 * Setting a timerfd costs forty times what a write to an eventfd does. */
#define _POSIX_C_SOURCE 200809L
#include "readiness.h"

#ifdef LLMG_EPOLL

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

bool readiness_works(void) {
  return true;
}

int readiness_open(readiness *r) {
  *r = (readiness){-1, -1, -1, -1, CLOCK_NEVER, false};
  r->fd = epoll_create1(EPOLL_CLOEXEC);
  return r->fd < 0 ? -1 : 0;
}

void readiness_close(readiness *r) {
  if (r->timer_fd >= 0) close(r->timer_fd);
  if (r->now_fd >= 0) close(r->now_fd);
  if (r->fd >= 0) close(r->fd);
  r->fd = r->timer_fd = r->now_fd = -1;
}

static uint32_t interest(int what) {
  return (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
         (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
}

static int control(readiness *r, int operation, int fd, uint32_t events) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = events;
  event.data.fd = fd;
  return epoll_ctl(r->fd, operation, fd, &event);
}

bool readiness_set(readiness *r, curl_socket_t fd, int what, bool known) {
  return control(r, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, interest(what)) == 0;
}

void readiness_remove(readiness *r, curl_socket_t fd) {
  control(r, EPOLL_CTL_DEL, fd, 0);
}

static bool add_clock(readiness *r, int fd) {
  return fd >= 0 && (control(r, EPOLL_CTL_ADD, fd, EPOLLIN) == 0 || errno == EEXIST);
}

bool readiness_open_clocks(readiness *r) {
  if (r->timer_fd < 0) r->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (r->now_fd < 0) r->now_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return add_clock(r, r->timer_fd) && add_clock(r, r->now_fd);
}

void readiness_show_now(readiness *r, bool wanted) {
  uint64_t count = 1;
  if (r->shows_now == wanted) return;
  r->shows_now = wanted;
  ssize_t n =
      wanted ? write(r->now_fd, &count, sizeof count) : read(r->now_fd, &count, sizeof count);
  (void)n;
}

void readiness_set_timer(readiness *r, int64_t moment) {
  struct itimerspec at = {{0, 0}, {0, 0}};
  r->armed = moment;
  if (moment != CLOCK_NEVER) {
    at.it_value.tv_sec = (time_t)(moment / ONE_SECOND);
    at.it_value.tv_nsec = (long)(moment % ONE_SECOND);
  }
  timerfd_settime(r->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void read_timer(readiness *r) {
  uint64_t expirations;
  ssize_t n = read(r->timer_fd, &expirations, sizeof expirations);
  if (n > 0) r->armed = CLOCK_NEVER;
}

static int bits_of(uint32_t events) {
  return (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
         (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

int readiness_wait(readiness *r, int ms, ready_socket *ready, bool *full) {
  struct epoll_event events[READINESS_BATCH];
  int n = epoll_wait(r->fd, events, READINESS_BATCH, ms), sockets = 0;
  if (n < 0 && errno == EINTR) n = epoll_wait(r->fd, events, READINESS_BATCH, 0);
  *full = n == READINESS_BATCH;
  for (int i = 0; i < n; i++) {
    int fd = events[i].data.fd;
    if (fd == r->timer_fd)
      read_timer(r);
    else if (fd != r->now_fd)
      ready[sockets++] = (ready_socket){fd, bits_of(events[i].events)};
  }
  return sockets;
}

#else
typedef int readiness_epoll_is_not_built;
#endif
