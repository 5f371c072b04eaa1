/* socket_ends.c: the two ends of a connection. The functions are the same everywhere; Windows' own
 * headers of them come with libcurl's. */
#ifdef _WIN32
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0601 /* inet_ntop */
#endif
#else
#define _POSIX_C_SOURCE 200809L
#endif
#include "socket.h"

#include <string.h>

#ifndef _WIN32
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#endif

typedef union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} address;

typedef enum side { LOCAL, REMOTE } side;

static bool ask(curl_socket_t fd, side which, address *a) {
  socklen_t size = sizeof *a;
  return (which == LOCAL ? getsockname(fd, &a->any, &size) : getpeername(fd, &a->any, &size)) == 0;
}

static int port_of(const address *a) {
  return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

static bool has_end(curl_socket_t fd, side which, const char *ip, int port) {
  address a;
  char text[INET6_ADDRSTRLEN];
  if (!ask(fd, which, &a) || port_of(&a) != port) return false;
  bool six = a.any.sa_family == AF_INET6;
  const void *bytes = six ? (const void *)&a.v6.sin6_addr : (const void *)&a.v4.sin_addr;
  return inet_ntop(a.any.sa_family, bytes, text, sizeof text) != NULL && strcmp(text, ip) == 0;
}

int socket_local_port(curl_socket_t fd) {
  address a;
  return ask(fd, LOCAL, &a) ? port_of(&a) : 0;
}

bool socket_joins(curl_socket_t fd, const socket_ends *ends) {
  return has_end(fd, REMOTE, ends->ip, ends->port) &&
         has_end(fd, LOCAL, ends->local_ip, ends->local_port);
}
