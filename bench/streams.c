/* streams.c: the yardstick: N streams at once on libcurl's multi_socket interface with epoll, counting events by
 * their blank lines and decoding nothing.
 *
 *   streams URL N    prints seconds, CPU seconds, events and the RSS per stream in kB
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

static CURLM *multi;
static int epoll_fd;
static long timeout_ms = -1, events, most_rss;

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long rss(void) {
  long size, pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld %ld", &size, &pages) != 2) pages = 0;
  if (file != NULL) fclose(file);
  return pages * 4;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *self) {
  const char *at = bytes, *end = bytes + size * n;
  (void)self;
  while ((at = memmem(at, (size_t)(end - at), "\n\n", 2)) != NULL) events++, at += 2;
  if (rss() > most_rss && events % 1000 == 0) most_rss = rss();
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

static void add(const char *url) {
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "{\"stream\":true}");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_multi_add_handle(multi, easy);
}

int main(int argc, char **argv) {
  int streams = argc > 2 ? atoi(argv[2]) : 1000, running = 1;
  struct epoll_event ready[256];
  double started = now(CLOCK_MONOTONIC);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  epoll_fd = epoll_create1(0);
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  long before = rss();
  for (int i = 0; i < streams; i++) add(argv[1]);
  while (running > 0) {
    int n = epoll_wait(epoll_fd, ready, 256, (int)timeout_ms);
    if (n == 0) curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    for (int i = 0; i < n; i++) {
      int bits = (ready[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                 (ready[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
      curl_multi_socket_action(multi, ready[i].data.fd, bits, &running);
    }
  }
  printf("%.3f %.3f %ld %.1f\n", now(CLOCK_MONOTONIC) - started, now(CLOCK_PROCESS_CPUTIME_ID),
         events, (double)(most_rss - before) / streams);
  return 0;
}
