/* full.c: an epoll_ctl that has no room for the second and every fourth further descriptor, now or
 * later, as when /proc/sys/fs/epoll/max_user_watches is reached, for LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

typedef int control(int, int, int, struct epoll_event *);

int epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event) {
  static unsigned added;
  static char refused[1024];
  control *real;
  void *symbol = dlsym(RTLD_NEXT, "epoll_ctl");
  memcpy(&real, &symbol, sizeof real);
  if (what == EPOLL_CTL_ADD && (refused[fd % 1024] || ++added % 4 == 2)) {
    refused[fd % 1024] = 1;
    errno = ENOSPC;
    return -1;
  }
  return real(epoll_fd, what, fd, event);
}
