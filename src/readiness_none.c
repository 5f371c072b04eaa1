/* readiness_none.c: readiness.h where the system has no such set: it never works. */
#include "readiness.h"

#if !defined(LLMG_EPOLL) && !defined(LLMG_KQUEUE)

bool readiness_works(void) {
  return false;
}

int readiness_open(readiness *r) {
  r->fd = -1;
  return -1;
}

void readiness_close(readiness *r) {
  (void)r;
}

bool readiness_set(readiness *r, curl_socket_t fd, int what, bool known) {
  (void)r, (void)fd, (void)what, (void)known;
  return false;
}

void readiness_remove(readiness *r, curl_socket_t fd) {
  (void)r, (void)fd;
}

bool readiness_open_clocks(readiness *r) {
  (void)r;
  return false;
}

void readiness_show_now(readiness *r, bool wanted) {
  (void)r, (void)wanted;
}

void readiness_set_timer(readiness *r, int64_t moment) {
  (void)r, (void)moment;
}

int readiness_wait(readiness *r, int ms, ready_socket *ready, bool *full) {
  (void)r, (void)ms, (void)ready;
  *full = false;
  return 0;
}

#else
typedef int readiness_none_is_not_built;
#endif
