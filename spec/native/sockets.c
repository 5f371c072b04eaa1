/* sockets.c: two connections of one loop may have the same local port, to different servers; each
 * is found by both of its ends. One that is alone with its local port needs no look at them. Prints what is wrong, or "ok". */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "socket.h"

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

static int connect_from(sockets *s, const char *ip, int local_port, int port) {
  int yes = 1;
  end here = end_of(ip, local_port), there = end_of(ip, port);
  struct curl_sockaddr asked = {.family = here.address.ss_family, .socktype = SOCK_STREAM};
  int fd = sockets_open(s, &asked);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)(void *)&here.address, here.size) != 0) perror("bind");
  if (connect(fd, (struct sockaddr *)(void *)&there.address, there.size) != 0) perror("connect");
  return fd;
}

static int find(sockets *s, const char *ip, int port, const char *local_ip, int local_port) {
  socket_ends ends = {ip, local_ip, port, local_port};
  return (int)socket_descriptor(sockets_find(s, &ends));
}

static int expect(const char *what, int found, int wanted) {
  if (found == wanted) return 0;
  printf("%s: found %d instead of %d\n", what, found, wanted);
  return 1;
}

static int try_family(const char *ip, const char *other_ip) {
  static sockets table;
  sockets *s = &table;
  int a = listen_on(ip), b = listen_on(ip), faults = 0;
  int to_a = connect_from(s, ip, 0, port_of(a));
  int local = port_of(to_a);
  int to_b = connect_from(s, ip, local, port_of(b));
  faults += expect("to a", find(s, ip, port_of(a), ip, local), to_a);
  faults += expect("to b", find(s, ip, port_of(b), ip, local), to_b);
  faults += expect("to nobody", find(s, ip, 1, ip, local), -1);
  faults += expect("another's address", find(s, other_ip, port_of(a), ip, local), -1);
  sockets_close(s, to_a);
  faults += expect("the other", find(s, ip, port_of(b), ip, local), to_b);
  sockets_close(s, to_b);
  faults += expect("left", (int)s->count, 0);
  sockets_clear(s);
  return faults;
}

int main(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  int faults = try_family("127.0.0.1", "127.0.0.2") + try_family("::1", "::2");
  if (faults == 0) puts("ok");
  return faults;
}
