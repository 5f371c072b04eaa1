/* wire.c: see wire.h. */
#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_CONNECTIONS 64
#define BEGINNING       INT64_C(1000000000000000000) /* far ahead: no timerfd fires by itself */

int __wrap_socket(int domain, int type, int protocol);
int64_t __wrap_clock_now(void);

static struct {
  int ends[MAX_CONNECTIONS]; /* -1: closed */
  size_t count;
  bool refuses;
  int64_t now;
} wire;

int __wrap_socket(int domain, int type, int protocol) {
  int pair[2];
  (void)domain, (void)type, (void)protocol;
  if (wire.refuses || wire.count == MAX_CONNECTIONS) {
    errno = ECONNREFUSED;
    return -1;
  }
  demand(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "a socketpair");
  wire.ends[wire.count++] = pair[1];
  return pair[0];
}

/* A symbol of the program's comes before libc's, for libcurl too. */
int connect(int fd, const struct sockaddr *address, socklen_t n) {
  (void)fd, (void)address, (void)n;
  return 0;
}

int64_t __wrap_clock_now(void) {
  return wire.now;
}

void wire_open(bool refuses) {
  wire.count = 0;
  wire.refuses = refuses;
  wire.now = BEGINNING;
}

static int last(void) {
  return wire.count == 0 ? -1 : wire.ends[wire.count - 1];
}

static void shut(size_t i) {
  if (wire.ends[i] >= 0) close(wire.ends[i]);
  wire.ends[i] = -1;
}

void wire_close(void) {
  for (size_t i = 0; i < wire.count; i++) shut(i);
}

size_t wire_connections(void) {
  return wire.count;
}

void wire_drain(void) {
  char bytes[16384];
  if (last() < 0) return;
  while (recv(last(), bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
}

ptrdiff_t wire_send(const char *bytes, size_t n) {
  if (last() < 0) return -1;
  ssize_t sent = send(last(), bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN ? 0 : -1;
  return sent;
}

void wire_end(void) {
  wire_drain();
  if (wire.count > 0) shut(wire.count - 1);
}

/* A reset is what the other end of such a socket sees when bytes of its own were never read; else
 * it sees a plain end. */
void wire_reset(void) {
  if (wire.count > 0) shut(wire.count - 1);
}

void wire_pass(int64_t ns) {
  wire.now += ns;
}
