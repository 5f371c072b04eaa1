/* loop.c: see loop.h. */
#ifdef __linux__
#define _GNU_SOURCE /* POLLRDHUP */
#else
#define _POSIX_C_SOURCE 200809L
#endif
#include "loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buffer.h"
#include "clock.h"
#include "mem.h"
#include "poller.h"

#define LATE    (CLOCK_SECOND / 20) /* a host may be so late without having stopped */
#define STOPPED CLOCK_SECOND        /* later than this, it was not driving at all */
#define FRAME   (CLOCK_SECOND / 10) /* who does not watch the descriptor steps as often */

struct loop {
  CURLM *multi;
  poller *poller;
  pid_t pid;
  list members;
  list ready;
  size_t running;     /* members whose exchange is under way */
  size_t settling;    /* of these, how many only drain */
  bool driving;       /* curl is being driven right now */
  bool nudged;        /* a member is */
  bool looks_around;  /* see loop_look_around */
  int64_t judge_at;   /* no clock runs out before this */
  int64_t alarm;      /* what the user of the loop asked for */
  int64_t stepped_at; /* when the last step ended */
  bool watched;       /* a host has the descriptor */
  int open_errno;     /* why the last socket could not be opened, or 0 */
  buffer sockets;     /* the open ones, as ints, for a forked child to close */
};

/* ---- sockets ---- */

/* CURLOPT_OPENSOCKETFUNCTION. A child process that inherited the socket would keep a closed
 * stream's connection open. */
curl_socket_t loop_open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address) {
  loop *l = self;
  (void)purpose;
  int fd = socket(address->family, address->socktype, address->protocol);
  l->open_errno = fd < 0 ? errno : 0;
  if (fd < 0) return CURL_SOCKET_BAD;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
      buffer_append(&l->sockets, (const char *)&fd, sizeof fd) == 0)
    return fd;
  close(fd);
  return CURL_SOCKET_BAD;
}

int loop_open_errno(const loop *l) {
  return l->open_errno;
}

/* CURLOPT_CLOSESOCKETFUNCTION; forgets the socket by putting the first in its place. */
int loop_close_socket(void *self, curl_socket_t fd) {
  loop *l = self;
  int *open = (int *)(void *)(l->sockets.bytes + l->sockets.start);
  size_t n = buffer_length(&l->sockets) / sizeof *open;
  for (size_t i = 0; i < n; i++) {
    if (open[i] != fd) continue;
    open[i] = open[0];
    buffer_consume(&l->sockets, sizeof *open);
    break;
  }
  return close(fd);
}

typedef int end_of(int fd, struct sockaddr *address, socklen_t *size);

/* Whether that end of the socket, getsockname's or getpeername's, is at this address and port. */
static bool has_end(int fd, end_of *end, const char *ip, int port) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } at;
  char text[INET6_ADDRSTRLEN];
  socklen_t size = sizeof at;
  if (end(fd, &at.any, &size) != 0) return false;
  bool six = at.any.sa_family == AF_INET6;
  if (ntohs(six ? at.v6.sin6_port : at.v4.sin_port) != port) return false;
  const void *bytes = six ? (const void *)&at.v6.sin6_addr : (const void *)&at.v4.sin_addr;
  return inet_ntop(at.any.sa_family, bytes, text, sizeof text) != NULL && strcmp(text, ip) == 0;
}

/* The system may give one local port to two connections whose servers differ: both ends count. */
int loop_socket_of(const loop *l, const char *ip, int port, const char *local_ip, int local_port) {
  const int *open = (const int *)(const void *)buffer_bytes(&l->sockets);
  size_t n = buffer_length(&l->sockets) / sizeof *open;
  for (size_t i = 0; i < n; i++)
    if (has_end(open[i], getsockname, local_ip, local_port) &&
        has_end(open[i], getpeername, ip, port))
      return open[i];
  return -1;
}

/* To an idle HTTP/2 connection frames come unasked. */
bool loop_is_stale(int fd, bool http2) {
#ifdef POLLRDHUP
  struct pollfd p = {fd, http2 ? POLLRDHUP : POLLRDHUP | POLLIN, 0};
  return fd < 0 || poll(&p, 1, 0) > 0;
#else
  char byte;
  ssize_t n = fd < 0 ? 0 : recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n > 0 && !http2);
#endif
}

/* ---- life ---- */

loop *loop_new(void) {
  loop *l = mem_zeroed(sizeof *l);
  if (l == NULL) return NULL;
  l->pid = getpid();
  list_init(&l->members);
  list_init(&l->ready);
  l->judge_at = l->alarm = CLOCK_NEVER;
  l->stepped_at = clock_now();
  l->multi = curl_multi_init();
  l->poller = l->multi == NULL ? NULL : poller_new(l->multi);
  if (l->poller != NULL) return l;
  loop_free(l);
  return NULL;
}

/* In a forked child the members leave too, but curl is not told: see loop_stop. */
static void orphan_all(loop *l) {
  while (!list_empty(&l->members)) {
    loop_member *m = LIST_OWNER(l->members.next, loop_member, node);
    loop_leave(m);
    m->class->orphaned(m);
  }
}

/* Curl's and epoll's own ends talk to the server and to the shared epoll; a child must not, so what
 * curl holds stays allocated until the child ends. */
static void close_in_child(loop *l) {
  int *open = (int *)(void *)(l->sockets.bytes + l->sockets.start);
  size_t n = buffer_length(&l->sockets) / sizeof *open;
  for (size_t i = 0; i < n; i++) close(open[i]);
}

static void close_curl(loop *l) {
  if (l->multi != NULL) curl_multi_cleanup(l->multi);
  l->multi = NULL;
}

void loop_close(loop *l) {
  orphan_all(l);
  if (loop_is_ours(l))
    close_curl(l);
  else
    close_in_child(l);
  buffer_clear(&l->sockets);
  if (l->poller != NULL && loop_is_ours(l)) poller_rest(l->poller);
}

void loop_free(loop *l) {
  if (l == NULL) return;
  loop_close(l);
  poller_free(l->poller);
  buffer_free(&l->sockets);
  mem_free(l);
}

bool loop_is_ours(const loop *l) {
  return l->pid == getpid();
}

int loop_fd(loop *l) {
  l->watched = true;
  return poller_fd(l->poller);
}

size_t loop_running(const loop *l) {
  return l->running;
}

/* ---- members ---- */

/* Each member has an easy handle of its own, never one that served before: reset, libcurl 7.88 has
 * a pointer left to the headers it freed, which an answer that begins with a blank makes it use. */
int loop_join(loop *l, loop_member *m) {
  m->easy = curl_easy_init();
  if (m->easy == NULL) return -1;
  m->loop = l;
  list_append(&l->members, &m->node);
  return 0;
}

int loop_start(loop_member *m) {
  curl_easy_setopt(m->easy, CURLOPT_PRIVATE, m);
  if (curl_multi_add_handle(m->loop->multi, m->easy) != CURLM_OK) return -1;
  m->running = true;
  m->loop->running++;
  return 0;
}

int loop_restart(loop_member *m) {
  curl_multi_remove_handle(m->loop->multi, m->easy);
  return curl_multi_add_handle(m->loop->multi, m->easy) == CURLM_OK ? 0 : -1;
}

/* An HTTP/2 stream that is merely removed lets the server go on generating, unless its connection
 * may not be used again; HTTP/1.1 closes an unfinished connection by itself. To one that is done
 * the option means nothing. */
static void take_from_curl(loop *l, loop_member *m) {
  curl_easy_setopt(m->easy, CURLOPT_FORBID_REUSE, 1L);
  curl_multi_remove_handle(l->multi, m->easy);
  m->running = false;
  l->running--;
  if (m->settles) l->settling--;
}

void loop_stop(loop_member *m) {
  if (m->easy == NULL) return;
  if (loop_is_ours(m->loop)) {
    if (m->running) take_from_curl(m->loop, m);
    curl_easy_cleanup(m->easy);
  }
  m->easy = NULL;
}

void loop_leave(loop_member *m) {
  loop *l = m->loop;
  if (l == NULL) return;
  bool was_running = m->running;
  loop_stop(m);
  list_remove(&m->node);
  list_remove(&m->ready);
  m->loop = NULL;
  if (was_running && !l->driving) loop_alarm(l, 0); /* what a host waits for may never come now */
}

void loop_settles(loop_member *m) {
  m->settles = true;
  m->loop->settling++;
}

/* What is ready without a step having found it (a client closed by hand) must still be seen by a
 * host that watches the descriptor. A forked child would arm its parent's. */
static void rearm(loop *l) {
  if (!loop_is_ours(l)) return;
  int64_t moment = l->judge_at < l->alarm ? l->judge_at : l->alarm;
  poller_alarm(l->poller, list_empty(&l->ready) && !l->nudged ? moment : 0);
}

void loop_alarm(loop *l, int64_t moment) {
  l->alarm = moment;
  rearm(l);
}

void loop_nudge(loop_member *m) {
  m->nudged = true;
  if (m->loop == NULL || m->loop->nudged) return;
  m->loop->nudged = true;
  if (!m->loop->driving) rearm(m->loop);
}

void loop_ready(loop_member *m) {
  loop *l = m->loop;
  if (l == NULL || list_linked(&m->ready)) return;
  list_append(&l->ready, &m->ready);
  if (!l->driving) rearm(l);
}

loop_member *loop_next_ready(loop *l) {
  if (list_empty(&l->ready)) return NULL;
  loop_member *m = LIST_OWNER(l->ready.next, loop_member, ready);
  list_remove(&m->ready);
  return m;
}

/* ---- stepping ---- */

static void collect_finished(loop *l) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(l->multi, &left)) != NULL) {
    loop_member *m = NULL;
    CURLcode code = message->data.result;
    if (message->msg != CURLMSG_DONE) continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&m);
    m->class->done(m, code);
  }
}

/* Asking may bring more, and be nudged again: that is for the next time. */
static void ask_again(loop *l) {
  if (!l->nudged) return;
  l->nudged = false;
  for (list *node = l->members.next; node != &l->members; node = node->next) {
    loop_member *m = LIST_OWNER(node, loop_member, node);
    if (!m->nudged) continue;
    m->nudged = false;
    if (m->running) poller_nudge(l->poller, m->socket);
  }
}

void loop_look_around(loop *l) {
  l->looks_around = true;
}

static void look_around(loop *l) {
  if (!l->looks_around) return;
  l->looks_around = false;
  poller_look_around(l->poller);
  collect_finished(l);
}

void loop_judge_at(loop *l, int64_t moment) {
  if (moment < l->judge_at) l->judge_at = moment;
}

/* Bytes only ever put clocks off, so judge_at is never too late, and all clocks are looked at only
 * once the earliest that was known is due. */
static void judge_all(loop *l, int64_t now) {
  l->judge_at = CLOCK_NEVER;
  for (list *node = l->members.next, *next; node != &l->members; node = next) {
    loop_member *m = LIST_OWNER(node, loop_member, node);
    next = node->next;
    if (m->running) loop_judge_at(l, m->class->judge(m, now));
  }
}

/* How much of the time since the last step nobody drove the loop. A host with the descriptor may
 * wait for long, and comes when a clock is due, or a little later: long after that, it was not
 * there. Any other steps now and then. */
static int64_t undriven(const loop *l, int64_t now) {
  int64_t gap = now - l->stepped_at;
  if (!l->watched) return gap - FRAME;
  int64_t late = l->judge_at == CLOCK_NEVER ? 0 : now - l->judge_at;
  if (late <= LATE) return 0;
  return late <= STOPPED ? late : gap;
}

static void forgive_undriven_time(loop *l, int64_t now) {
  int64_t ns = undriven(l, now);
  if (ns <= 0) return;
  for (list *node = l->members.next; node != &l->members; node = node->next) {
    loop_member *m = LIST_OWNER(node, loop_member, node);
    m->class->forgive(m, ns, now);
  }
}

/* Clocks are judged after all waiting bytes were read, never before: a late reader is not a silent
 * server. A budget that never allows for that has to give way. */
static void drive(loop *l, int64_t until, int64_t budget) {
  int64_t now = clock_now();
  forgive_undriven_time(l, now);
  l->driving = true;
  if (l->judge_at < now - LATE) budget = CLOCK_NEVER;
  bool all = poller_drive(l->poller, until, budget);
  ask_again(l);
  collect_finished(l);
  now = clock_now();
  if (all && now >= l->judge_at) {
    judge_all(l, now);
    look_around(l);
  }
  l->driving = false;
  rearm(l);
  l->stepped_at = now;
}

void loop_step(loop *l, int64_t wait, int64_t budget) {
  int64_t now = clock_now();
  drive(l, list_empty(&l->ready) ? clock_after(now, wait) : now, budget);
}

void loop_settle(loop *l) {
  if (l->settling > 0) drive(l, 0, CLOCK_NEVER);
}
