/* main.c: the load server: one thread, one epoll, answers rendered before they are asked for, so
 * that what it costs is small beside any client.
 *
 *   server [CERT KEY]    prints its ports ("PLAIN TLS", the second 0 without a certificate) and
 * serves on 127.0.0.1 until standard input ends
 *
 * answers.h has the paths. A slow stream's events come 50 ms apart; the streams are spread over 50
 * slots of a millisecond, so that a thousand of them are a steady load and no salvo. Leans on
 * wire.h and answers.h.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "answers.h"
#include "wire.h"

#define SLOTS    50
#define SLOT_MS  1
#define MAX_HEAD 16384

typedef enum part { HEAD, BLOCK, SLOW, TAIL, SENT } part;

typedef struct conn {
  int fd;
  wire_tls *tls;
  bool is_listener, is_secure;
  char request[MAX_HEAD + 1]; /* the head of the request that is being read */
  size_t n;
  long body_left;
  const answer *answer; /* what is being sent, or NULL */
  part part;
  size_t sent; /* of this part */
  long times;  /* of the block, or events of a slow stream, that are left */
  bool wants_write;
  struct conn *next, **at; /* in its slot */
} conn;

static int epoll, slot, next_slot;
static conn *slots[SLOTS], *doomed;

/* ---- sending ---- */

static void watch(conn *c, int how, bool write) {
  struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = c};
  c->wants_write = write;
  epoll_ctl(epoll, how, c->fd, &event);
}

static void leave_slot(conn *c) {
  if (c->at == NULL) return;
  *c->at = c->next;
  if (c->next != NULL) c->next->at = c->at;
  c->at = NULL;
}

static void enter_slot(conn *c) {
  conn **first = &slots[next_slot++ % SLOTS];
  c->next = *first;
  c->at = first;
  if (c->next != NULL) c->next->at = &c->next;
  *first = c;
}

/* Its memory stays until the events that are at hand were handled. */
static void drop(conn *c) {
  if (c->fd < 0) return;
  leave_slot(c);
  wire_close(c->fd, c->tls);
  c->fd = -1;
  c->next = doomed;
  doomed = c;
}

static void free_doomed(void) {
  while (doomed != NULL) {
    conn *next = doomed->next;
    free(doomed);
    doomed = next;
  }
}

static piece piece_of(const conn *c) {
  if (c->part == HEAD) return c->answer->head;
  return c->part == BLOCK ? c->answer->block : c->answer->tail;
}

static void next_part(conn *c) {
  const answer *a = c->answer;
  c->sent = 0;
  if (c->part == HEAD)
    c->times = a->slow > 0 ? a->slow : a->times;
  else if (c->part == BLOCK)
    c->times--;
  if (c->part == TAIL)
    c->part = SENT;
  else if (c->times == 0)
    c->part = TAIL;
  else
    c->part = a->slow > 0 ? SLOW : BLOCK;
  if (c->part == SLOW) enter_slot(c);
}

static void after_answer(conn *c) {
  bool closes = c->answer->closes;
  c->answer = NULL;
  if (closes) drop(c);
}

/* Sends what the socket takes. */
static void send_some(conn *c) {
  while (c->part != SLOW && c->part != SENT) {
    piece p = piece_of(c);
    long n = p.n == c->sent ? 0 : wire_write(c->fd, c->tls, p.bytes + c->sent, p.n - c->sent);
    if (n == WIRE_GONE) return drop(c);
    if (n == WIRE_AGAIN && !c->wants_write) watch(c, EPOLL_CTL_MOD, true);
    if (n == WIRE_AGAIN) return;
    c->sent += (size_t)n;
    if (c->sent == p.n) next_part(c);
  }
  if (c->wants_write) watch(c, EPOLL_CTL_MOD, false);
  if (c->part == SENT) after_answer(c);
}

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* A socket's buffer holds many such events: one that takes none belongs to a client that is gone.
 */
static void send_stamped(conn *c) {
  piece p = answer_stamped(now());
  if (wire_write(c->fd, c->tls, p.bytes, p.n) != (long)p.n) return drop(c);
  if (--c->times > 0) return;
  leave_slot(c);
  c->part = TAIL;
  send_some(c);
}

static void on_tick(int timer) {
  unsigned long long times;
  if (read(timer, &times, sizeof times) != sizeof times) return;
  for (; times > 0; times--) {
    conn *following;
    for (conn *c = slots[slot]; c != NULL; c = following) {
      following = c->next;
      send_stamped(c);
    }
    slot = (slot + 1) % SLOTS;
  }
}

/* ---- receiving ---- */

static void begin_answer(conn *c) {
  char *path = strchr(c->request, ' ');
  c->answer = path == NULL ? NULL : answer_for(path + 1);
  if (c->answer == NULL) return drop(c);
  c->part = HEAD;
  c->sent = 0;
  send_some(c);
}

static long length_of_body(const char *head) {
  const char *field = strcasestr(head, "\r\ncontent-length:");
  return field == NULL ? 0 : atol(field + 17);
}

/* Reads on in the request's head; what came of the body with it is counted. */
static void on_head(conn *c, long n) {
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  c->n += (size_t)n;
  c->request[c->n] = '\0';
  char *end = strstr(c->request, "\r\n\r\n");
  if (end == NULL) {
    if (c->n == MAX_HEAD) drop(c);
    return;
  }
  end[2] = '\0';
  c->body_left = length_of_body(c->request) - (long)(c->n - (size_t)(end + 4 - c->request));
  if (strcasestr(c->request, "\r\nexpect: 100") != NULL)
    wire_write(c->fd, c->tls, go_on, sizeof go_on - 1);
  c->n = 0;
  if (c->body_left <= 0) begin_answer(c);
}

static void on_body(conn *c, long n) {
  c->body_left -= n;
  if (c->body_left <= 0) begin_answer(c);
}

static void receive(conn *c) {
  static char body[1 << 16];
  for (;;) {
    bool in_body = c->body_left > 0;
    long n = in_body ? wire_read(c->fd, c->tls, body, sizeof body)
                     : wire_read(c->fd, c->tls, c->request + c->n, MAX_HEAD - c->n);
    if (n == WIRE_GONE) return drop(c);
    if (n == WIRE_AGAIN) return;
    if (in_body)
      on_body(c, n);
    else
      on_head(c, n);
    if (c->fd < 0 || (c->tls == NULL && c->body_left <= 0)) return;
  }
}

static void accept_all(const conn *listener) {
  int fd;
  while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    conn *c = calloc(1, sizeof *c);
    if (c == NULL) exit(1);
    c->fd = fd;
    if (listener->is_secure) c->tls = wire_secure(fd);
    watch(c, EPOLL_CTL_ADD, false);
  }
}

static void on_event(conn *c, unsigned events) {
  if (c->is_listener) return accept_all(c);
  if (c->fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
  if (c->fd >= 0 && events & EPOLLOUT && c->answer != NULL) send_some(c);
}

/* ---- life ---- */

static conn stdin_end, timer, plain, secure;

static void add_listener(conn *c, int *port, bool is_secure) {
  c->fd = wire_listen(port);
  c->is_listener = true;
  c->is_secure = is_secure;
  watch(c, EPOLL_CTL_ADD, false);
}

static void open_all(int argc, char **argv) {
  struct itimerspec every = {{0, SLOT_MS * 1000000L}, {0, SLOT_MS * 1000000L}};
  int port, tls_port = 0;
  epoll = epoll_create1(EPOLL_CLOEXEC);
  add_listener(&plain, &port, false);
  if (argc > 2) {
    wire_use_certificate(argv[1], argv[2]);
    add_listener(&secure, &tls_port, true);
  }
  timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  timerfd_settime(timer.fd, 0, &every, NULL);
  watch(&timer, EPOLL_CTL_ADD, false);
  watch(&stdin_end, EPOLL_CTL_ADD, false); /* descriptor 0 */
  printf("%d %d\n", port, tls_port);
  fflush(stdout);
}

static void raise_descriptors(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
  struct epoll_event ready[256];
  raise_descriptors();
  signal(SIGPIPE, SIG_IGN);
  open_all(argc, argv);
  for (;;) {
    int n = epoll_wait(epoll, ready, 256, -1);
    for (int i = 0; i < n; i++) {
      conn *c = ready[i].data.ptr;
      if (c == &stdin_end) return 0;
      if (c == &timer)
        on_tick(timer.fd);
      else
        on_event(c, ready[i].events);
    }
    free_doomed();
  }
}
