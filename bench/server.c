/* server.c: serves event streams for the benchmark: each request gets EVENTS events, one every 50 ms.
 *
 *   server EVENTS    prints its port and serves on 127.0.0.1 until standard input ends
 *
 * One epoll, one tick for all: what it costs is small beside any client.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MAX_FDS  8192
#define TICK_MS  50
#define MAX_READ 65536

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                           "Connection: close\r\n\r\n";
static const char chunk[] =
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4\","
    "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"finish_reason\":null}]}\n\n";
static const char last[] =
    "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: [DONE]\n\n";

static int left[MAX_FDS]; /* events to send, by descriptor; 0: no stream */
static int highest;

static void put(int fd, const char *text, size_t n) {
  if (write(fd, text, n) < 0) left[fd] = 0;
}

static int listener(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0) exit(1);
  getsockname(fd, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int epoll, int from) {
  int fd;
  while ((fd = accept4(from, NULL, NULL, SOCK_NONBLOCK)) >= 0 && fd < MAX_FDS) {
    if (fd > highest) highest = fd;
    watch(epoll, fd);
  }
}

/* A request's end is taken to be in the bytes that come: the benchmark's requests are small. */
static void on_request(int fd, int events) {
  char bytes[MAX_READ];
  if (read(fd, bytes, sizeof bytes) <= 0) {
    left[fd] = 0;
    close(fd);
  } else if (left[fd] == 0) {
    left[fd] = events;
    put(fd, head, sizeof head - 1);
  }
}

static void send_events(int tick) {
  unsigned long long times;
  if (read(tick, &times, sizeof times) < 0) return;
  for (int fd = 0; fd <= highest; fd++) {
    if (left[fd] == 0) continue;
    put(fd, chunk, sizeof chunk - 1);
    if (--left[fd] > 0) continue;
    put(fd, last, sizeof last - 1);
    shutdown(fd, SHUT_WR);
  }
}

int main(int argc, char **argv) {
  int events = argc > 1 ? atoi(argv[1]) : 100;
  struct itimerspec every = {{0, TICK_MS * 1000000L}, {0, TICK_MS * 1000000L}};
  struct epoll_event ready[256];
  int epoll = epoll_create1(0), from = listener(), tick = timerfd_create(CLOCK_MONOTONIC, 0);
  timerfd_settime(tick, 0, &every, NULL);
  watch(epoll, from);
  watch(epoll, tick);
  watch(epoll, 0);
  for (;;) {
    int n = epoll_wait(epoll, ready, 256, -1);
    for (int i = 0; i < n; i++) {
      if (ready[i].data.fd == 0) return 0;
      if (ready[i].data.fd == from) accept_all(epoll, from);
      else if (ready[i].data.fd == tick) send_events(tick);
      else on_request(ready[i].data.fd, events);
    }
  }
}
