/* interrupted.c: an epoll_wait whose waits of about a quarter of a second (the loop's) are ended by a
 * signal, a little after their time, whatever has come by then, for LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

typedef int wait_for(int, struct epoll_event *, int, int);

int epoll_wait(int epoll_fd, struct epoll_event *events, int most, int ms) {
  wait_for *real;
  void *symbol = dlsym(RTLD_NEXT, "epoll_wait");
  memcpy(&real, &symbol, sizeof real);
  if (ms < 225 || ms > 275) return real(epoll_fd, events, most, ms);
  struct timespec time = {0, (ms + 5) * 1000000L};
  nanosleep(&time, NULL);
  errno = EINTR;
  return -1;
}
