/* socket_posix.c: what socket.h asks of the system, on POSIX and, for what POSIX does not know,
 * Linux. */
#ifdef __linux__
#define _GNU_SOURCE /* POLLRDHUP, struct tcp_info */
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE  /* MSG_DONTWAIT; the BSDs show it unless they are asked for POSIX alone  \
                           */
#endif
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/tcp.h>
#endif

/* A child process that inherited the socket would keep a closed stream's connection open. */
curl_socket_t socket_open(const struct curl_sockaddr *address) {
  int fd = socket(address->family, address->socktype, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return CURL_SOCKET_BAD;
}

int socket_close(curl_socket_t fd) {
  return close(fd);
}

/* ---- ends ---- */

typedef union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} address;

typedef int ask_for_end(int fd, struct sockaddr *to, socklen_t *size);

static int port_of(const address *a) {
  return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

static bool has_end(curl_socket_t fd, ask_for_end *ask, const char *ip, int port) {
  address a;
  char text[INET6_ADDRSTRLEN];
  socklen_t size = sizeof a;
  if (ask(fd, &a.any, &size) != 0 || port_of(&a) != port) return false;
  bool six = a.any.sa_family == AF_INET6;
  const void *bytes = six ? (const void *)&a.v6.sin6_addr : (const void *)&a.v4.sin_addr;
  return inet_ntop(a.any.sa_family, bytes, text, sizeof text) != NULL && strcmp(text, ip) == 0;
}

int socket_local_port(curl_socket_t fd) {
  address a;
  socklen_t size = sizeof a;
  return getsockname(fd, &a.any, &size) == 0 ? port_of(&a) : 0;
}

bool socket_joins(curl_socket_t fd, const socket_ends *ends) {
  return has_end(fd, getpeername, ends->ip, ends->port) &&
         has_end(fd, getsockname, ends->local_ip, ends->local_port);
}

/* ---- what came ---- */

/* To an idle HTTP/2 connection frames come unasked. */
bool socket_is_stale(curl_socket_t fd, bool http2) {
#ifdef POLLRDHUP
  struct pollfd p = {fd, http2 ? POLLRDHUP : POLLRDHUP | POLLIN, 0};
  return poll(&p, 1, 0) > 0;
#else
  char byte;
  ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n > 0 && !http2) ||
         (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
#endif
}

#ifdef __linux__

static bool ask_tcp(curl_socket_t fd, struct tcp_info *info) {
  socklen_t size = sizeof *info;
  memset(info, 0, sizeof *info);
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0;
}

int64_t socket_silence(curl_socket_t fd) {
  struct tcp_info info;
  return ask_tcp(fd, &info) ? (int64_t)info.tcpi_last_data_recv * 1000000 : -1;
}

int64_t socket_received(curl_socket_t fd) {
  struct tcp_info info;
  return ask_tcp(fd, &info) ? (int64_t)info.tcpi_bytes_received : -1;
}

#else

int64_t socket_silence(curl_socket_t fd) {
  (void)fd;
  return -1;
}

int64_t socket_received(curl_socket_t fd) {
  (void)fd;
  return -1;
}

#endif
