/* hang.c: a getaddrinfo that hangs for names that begin with "hang.", for LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  lookup *real;
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&real, &symbol, sizeof real);
  if (node != NULL && strncmp(node, "hang.", 5) == 0) {
    sleep(4);
    return EAI_AGAIN;
  }
  return real(node, service, hints, found);
}
