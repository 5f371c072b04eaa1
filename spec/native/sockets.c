/* sockets.c: two connections of one loop may have the same local port, to different servers; each
 * is found by both of its ends. Prints what is wrong, or "ok". */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "loop.h"

typedef struct end {
  struct sockaddr_storage address;
  socklen_t size;
} end;

static end end_of(const char *ip, int port) {
  end e = {.size = sizeof(struct sockaddr_in)};
  struct sockaddr_in *four = (struct sockaddr_in *)(void *)&e.address;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&e.address;
  if (inet_pton(AF_INET, ip, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons((unsigned short)port);
    return e;
  }
  e.size = sizeof *six;
  six->sin6_family = AF_INET6;
  six->sin6_port = htons((unsigned short)port);
  inet_pton(AF_INET6, ip, &six->sin6_addr);
  return e;
}

static int port_of(int fd) {
  struct sockaddr_in6 own; /* the port is where sockaddr_in has it */
  socklen_t size = sizeof own;
  getsockname(fd, (struct sockaddr *)(void *)&own, &size);
  return ntohs(own.sin6_port);
}

static int listen_on(const char *ip) {
  end here = end_of(ip, 0);
  int fd = socket(here.address.ss_family, SOCK_STREAM, 0);
  bind(fd, (struct sockaddr *)(void *)&here.address, here.size);
  listen(fd, 4);
  return fd;
}

static int connect_from(loop *l, const char *ip, int local_port, int port) {
  int yes = 1;
  end here = end_of(ip, local_port), there = end_of(ip, port);
  struct curl_sockaddr asked = {.family = here.address.ss_family, .socktype = SOCK_STREAM};
  int fd = loop_open_socket(l, CURLSOCKTYPE_IPCXN, &asked);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)(void *)&here.address, here.size) != 0) perror("bind");
  if (connect(fd, (struct sockaddr *)(void *)&there.address, there.size) != 0) perror("connect");
  return fd;
}

static int expect(const char *what, int found, int wanted) {
  if (found == wanted) return 0;
  printf("%s: found %d instead of %d\n", what, found, wanted);
  return 1;
}

static int try_family(const char *ip, const char *other_ip) {
  loop *l = loop_new();
  int a = listen_on(ip), b = listen_on(ip), faults = 0;
  int to_a = connect_from(l, ip, 0, port_of(a));
  int local = port_of(to_a);
  int to_b = connect_from(l, ip, local, port_of(b));
  faults += expect("to a", loop_socket_of(l, ip, port_of(a), ip, local), to_a);
  faults += expect("to b", loop_socket_of(l, ip, port_of(b), ip, local), to_b);
  faults += expect("to nobody", loop_socket_of(l, ip, 1, ip, local), -1);
  faults += expect("another's address", loop_socket_of(l, other_ip, port_of(a), ip, local), -1);
  loop_close_socket(l, to_a);
  faults += expect("closed", loop_socket_of(l, ip, port_of(a), ip, local), -1);
  faults += expect("the other", loop_socket_of(l, ip, port_of(b), ip, local), to_b);
  loop_close_socket(l, to_b);
  loop_free(l);
  return faults;
}

int main(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  int faults = try_family("127.0.0.1", "127.0.0.2") + try_family("::1", "::2");
  if (faults == 0) puts("ok");
  return faults;
}
