/* limits_streams.c: N streams at once on libcurl's multi_socket interface with epoll, counting
 * events by their blank lines and decoding nothing: as cheap as libcurl lets it be.
 *
 *   limits-streams URL N     prints a line (see measure.lua), with the delays of every tenth
 * stream's events (p50, p99, in microseconds) and the memory of a stream (rss, in kB)
 *
 * Nothing but counting happens between two events: the peak of memory is the kernel's own (VmHWM),
 * read once at the end. Leans on measure.h and libcurl.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "measure.h"

#define MAX_DELAYS (1 << 20)

static CURLM *multi;
static int epoll_fd;
static long timeout_ms = -1, events, delays_n;
static double delays[MAX_DELAYS];

static void note_delay(const char *event, const char *end) {
  static const char mark[] = "\"content\":\"";
  const char *text = memmem(event, (size_t)(end - event), mark, sizeof mark - 1);
  if (text == NULL || delays_n == MAX_DELAYS) return;
  double moment = strtod(text + sizeof mark - 1, NULL) / 1e9;
  if (moment > 0) delays[delays_n++] = (measure_now() - moment) * 1e6;
}

/* `timed` is not NULL for a stream whose delays are noted. */
static size_t on_body(char *bytes, size_t size, size_t n, void *timed) {
  const char *at = bytes, *end = bytes + size * n, *next;
  while ((next = memmem(at, (size_t)(end - at), "\n\n", 2)) != NULL) {
    events++;
    if (timed != NULL) note_delay(at, next);
    at = next + 2;
  }
  return size * n;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *known) {
  struct epoll_event event = {.data.fd = fd};
  (void)easy, (void)self;
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  if (what == CURL_POLL_REMOVE) return epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, &event), 0;
  if (known == NULL) curl_multi_assign(multi, fd, &epoll_fd);
  epoll_ctl(epoll_fd, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  return 0;
}

static int on_timer(CURLM *m, long ms, void *self) {
  (void)m, (void)self;
  timeout_ms = ms;
  return 0;
}

static void add(const char *url, void *timed) {
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "{\"stream\":true}");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, timed);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); /* else two calls of the system for each event */
  curl_multi_add_handle(multi, easy);
}

static int bits_of(unsigned ready) {
  return (ready & EPOLLIN ? CURL_CSELECT_IN : 0) | (ready & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
         (ready & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

static void drive(int running) {
  struct epoll_event ready[256];
  while (running > 0) {
    int n = epoll_wait(epoll_fd, ready, 256, (int)timeout_ms);
    if (n == 0) curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    for (int i = 0; i < n; i++)
      curl_multi_socket_action(multi, ready[i].data.fd, bits_of(ready[i].events), &running);
  }
}

int main(int argc, char **argv) {
  int streams = argc > 2 ? atoi(argv[2]) : 1000;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  long before = measure_kb("VmRSS");
  measure_start();
  for (int i = 0; i < streams; i++) add(argv[1], i % 10 == 0 ? &multi : NULL);
  drive(streams);
  measure_finish(events);
  printf(" rss=%.3f", (double)(measure_kb("VmHWM") - before) / streams);
  printf(" p50=%.1f", measure_percentile(delays, delays_n, 0.5));
  printf(" p99=%.1f\n", measure_percentile(delays, delays_n, 0.99));
  return 0;
}
