/* descriptor.c: the loop's descriptor wakes a host that waits for an exchange which is ended outside
 * of a step: one that is closed, and one that leaves. Prints what is wrong, or "ok". */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "clock.h"
#include "transfer.h"

static int listen_to_nobody(void) {
  struct sockaddr_in here = {.sin_family = AF_INET};
  socklen_t size = sizeof here;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr *)&here, size) != 0 || listen(fd, 4) != 0) return 0;
  getsockname(fd, (struct sockaddr *)&here, &size);
  return ntohs(here.sin_port);
}

/* The loop is not asked again: that would have it look. */
static bool is_readable(int fd, int ms) {
  struct pollfd p = {fd, POLLIN, 0};
  return poll(&p, 1, ms) == 1;
}

static transfer *begin(loop *l, const char *url) {
  transfer_options options = {.method = "GET", .url = url, .proxy = ""};
  transfer *t = transfer_new(l);
  transfer_start(t, &options);
  return t;
}

/* Steps until the request is out, and for longer than libcurl has anything to do after that. */
static void come_to_rest(loop *l, int fd) {
  for (int i = 0; i < 1000 && is_readable(fd, 400); i++) {
    loop_step(l, 0, CLOCK_NEVER);
    while (loop_next_ready(l) != NULL)
      ;
  }
}

static int expect(const char *what, bool wanted, bool found) {
  if (wanted == found) return 0;
  printf("%s: the descriptor %s\n", what, found ? "is readable" : "sleeps");
  return 1;
}

int main(void) {
  char url[64];
  int faults = 0;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  loop *l = loop_new();
  int fd = loop_watch(l);
  if (fd < 0) return puts("ok") < 0;
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", listen_to_nobody());
  transfer *closed = begin(l, url), *left = begin(l, url);
  come_to_rest(l, fd);
  faults += expect("under way", false, is_readable(fd, 0));
  loop_ready(transfer_member(left));
  faults += expect("ready", true, is_readable(fd, 0));
  come_to_rest(l, fd);
  transfer_close(closed);
  faults += expect("closed", true, is_readable(fd, 0));
  come_to_rest(l, fd);
  faults += expect("after that", false, is_readable(fd, 0));
  transfer_free(left);
  faults += expect("gone", true, is_readable(fd, 0));
  transfer_free(closed);
  loop_free(l);
  if (faults == 0) puts("ok");
  return faults;
}
