/* several.c: a getaddrinfo by which the host two.example has two addresses, of which nobody answers
 * at the first, for LD_PRELOAD. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG 4 /* connections that fill a queue made for none */

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int look_up(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **found) {
  lookup *real;
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&real, &symbol, sizeof real);
  return real(node, service, hints, found);
}

/* A listener that never accepts, its queue full: the kernel lets further hellos fall. */
static void dig_black_hole(const char *service) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(service))};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  inet_pton(AF_INET, "127.0.0.2", &at.sin_addr);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 0) != 0) abort();
  for (int i = 0; i < BACKLOG; i++)
    connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&at, sizeof at);
}

/* The two lists become one; the C library frees them node by node. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  struct addrinfo *second;
  if (node == NULL || strcmp(node, "two.example") != 0) return look_up(node, service, hints, found);
  dig_black_hole(service);
  int status = look_up("127.0.0.2", service, hints, found);
  if (status == 0) status = look_up("127.0.0.1", service, hints, &second);
  if (status == 0) (*found)->ai_next = second;
  return status;
}
