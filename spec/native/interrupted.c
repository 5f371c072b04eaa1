/* interrupted.c: an epoll_wait whose first wait of 0.15 to 0.22 s is ended by a signal, a little after
 * its time, whatever has come by then, for LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

typedef int wait_for(int, struct epoll_event *, int, int);

int epoll_wait(int epoll_fd, struct epoll_event *events, int most, int ms) {
  static int interrupted;
  wait_for *real;
  void *symbol = dlsym(RTLD_NEXT, "epoll_wait");
  memcpy(&real, &symbol, sizeof real);
  if (interrupted || ms < 150 || ms > 220) return real(epoll_fd, events, most, ms);
  struct timespec time = {0, (ms + 5) * 1000000L};
  interrupted = 1;
  nanosleep(&time, NULL);
  errno = EINTR;
  return -1;
}
