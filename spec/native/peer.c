/* peer.c: see peer.h. Linux: it asks the kernel how much of a socket's bytes was read. */
#define _GNU_SOURCE
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_DESCRIPTORS 1024

int peer_listen(int *port) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0) return -1;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 16) == 0 &&
      getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
    *port = ntohs(address.sin_port);
    return fd;
  }
  close(fd);
  return -1;
}

static bool is_address(int failed, const struct sockaddr_in *a, const struct sockaddr_in *b) {
  return failed == 0 && a->sin_family == AF_INET && a->sin_port == b->sin_port &&
         a->sin_addr.s_addr == b->sin_addr.s_addr;
}

/* The descriptor of this process that goes from `theirs` to `ours`. The first alone does not tell:
 * the kernel gives one local port to connections that differ in where they go. */
static int find_other(const struct sockaddr_in *theirs, const struct sockaddr_in *ours) {
  for (int fd = 0; fd < MOST_DESCRIPTORS; fd++) {
    struct sockaddr_in here = {0}, there = {0};
    socklen_t size = sizeof here;
    if (!is_address(getsockname(fd, (struct sockaddr *)&here, &size), &here, theirs)) continue;
    size = sizeof there;
    if (is_address(getpeername(fd, (struct sockaddr *)&there, &size), &there, ours)) return fd;
  }
  return -1;
}

bool peer_accept(int listener, peer *p) {
  struct sockaddr_in theirs, ours;
  socklen_t size = sizeof theirs;
  int on = 1;
  int fd = accept4(listener, (struct sockaddr *)&theirs, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return false;
  size = sizeof ours;
  getsockname(fd, (struct sockaddr *)&ours, &size);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  p->fd = fd;
  p->other = find_other(&theirs, &ours);
  p->sent = 0;
  return true;
}

long peer_read(peer *p, char *to, size_t size) {
  ssize_t n = recv(p->fd, to, size, 0);
  if (n < 0) return errno == EAGAIN ? -1 : 0;
  return (long)n;
}

bool peer_send(peer *p, const char *bytes, size_t n) {
  while (n > 0) {
    ssize_t sent = send(p->fd, bytes, n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent < 0) continue;
    p->sent += sent;
    bytes += sent;
    n -= (size_t)sent;
  }
  return true;
}

/* What the kernel has for the client, less what still waits there, is what the client has read. */
long peer_unread(const peer *p) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  int waiting = 0;
  memset(&info, 0, sizeof info);
  if (getsockopt(p->other, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0; /* it has closed */
  ioctl(p->other, FIONREAD, &waiting);
  return p->sent - ((long)info.tcpi_bytes_received - waiting);
}

void peer_close(peer *p, bool reset) {
  struct linger hard = {1, 0};
  if (p->fd < 0) return;
  if (reset) setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(p->fd);
  p->fd = p->other = -1;
}
