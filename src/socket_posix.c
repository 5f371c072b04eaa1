/* socket_posix.c: what socket.h asks of the system, on POSIX and, for what POSIX does not know,
 * Linux. */
#ifndef _WIN32
#ifdef __linux__
#define _GNU_SOURCE /* POLLRDHUP, struct tcp_info */
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE  /* MSG_DONTWAIT; the BSDs show it unless they are asked for POSIX alone  \
                           */
#endif
#include "socket.h"

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

#else
typedef int socket_posix_is_not_built;
#endif
