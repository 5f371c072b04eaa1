/* loop.c: see loop.h. */
#include "loop.h"

#include "clock.h"
#include "loop_idle.h"
#include "mem.h"
#include "platform.h"
#include "poller.h"

#define LATE (ONE_SECOND / 20) /* a host may be so late without having stopped */
#define IDLE                                                                                       \
  ((MAX_IDLE_SECONDS + 1) * ONE_SECOND + ONE_SECOND / 20) /* libcurl counts whole seconds */
#define STOPPED ONE_SECOND        /* later than this, it was not driving at all */
#define FRAME   (ONE_SECOND / 10) /* who does not watch the descriptor steps as often */

/* Before libcurl 7.87 OpenSSL writes to the sockets by itself, and a reset one raises SIGPIPE. */
#define PIPES_SIGNAL (LIBCURL_VERSION_NUM < 0x075700)

struct loop {
  CURLM *multi;
  poller *poller;
  long process; /* that made it: see platform_process_mark */
  list members;
  list ready;
  size_t running;     /* members whose exchange is under way */
  size_t draining;    /* of these, how many only drain */
  bool driving;       /* libcurl is being driven right now */
  bool rereads;       /* a member does */
  bool pokes_all;     /* see loop_poke_all */
  bool has_begun;     /* an exchange was started since the last drive */
  int64_t deadline;   /* no clock runs out before this */
  int64_t alarm;      /* what loop_alarm was given, or 0 where a member has left */
  int64_t sweep_at;   /* when kept connections are looked at for their age, or CLOCK_NEVER */
  CURL *sweep;        /* the exchange that does so, or NULL */
  int64_t stepped_at; /* when the last step ended */
  bool watched;       /* a host has the descriptor */
  sockets sockets;
};

static bool hold_pipes(void) {
  return PIPES_SIGNAL && platform_hold_pipes();
}

/* ---- life ---- */

/* From libcurl 8.20 on the multi handle waits for lookups that hang, unless it is told not to. */
static CURLM *new_multi(void) {
  CURLM *multi = curl_multi_init();
#if LIBCURL_VERSION_NUM >= 0x081400
  if (multi != NULL) curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1L);
#endif
  return multi;
}

loop *loop_new(void) {
  loop *l = mem_zeroed(sizeof *l);
  if (l == NULL) return NULL;
  l->process = platform_process_mark();
  list_init(&l->members);
  list_init(&l->ready);
  l->deadline = l->alarm = l->sweep_at = CLOCK_NEVER;
  l->stepped_at = clock_now();
  l->multi = new_multi();
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

static void end_sweep(loop *l) {
  if (l->sweep == NULL) return;
  curl_multi_remove_handle(l->multi, l->sweep);
  curl_easy_cleanup(l->sweep);
  l->sweep = NULL;
}

static void close_curl(loop *l) {
  bool held = hold_pipes();
  end_sweep(l);
  if (l->multi != NULL) curl_multi_cleanup(l->multi);
  l->multi = NULL;
  platform_release_pipes(held);
}

/* libcurl's and epoll's own ends talk to the server and to the shared epoll; a child must not, so
 * what libcurl holds stays allocated until the child ends. */
void loop_close(loop *l) {
  orphan_all(l);
  if (loop_is_ours(l))
    close_curl(l);
  else
    sockets_close_all(&l->sockets);
  sockets_clear(&l->sockets);
  if (l->poller != NULL && loop_is_ours(l)) poller_rest(l->poller);
}

void loop_free(loop *l) {
  if (l == NULL) return;
  loop_close(l);
  poller_free(l->poller);
  mem_free(l);
}

bool loop_is_ours(const loop *l) {
  return l->process == platform_process_mark();
}

/* What is ready without a step having found it (a client closed by hand) must still be seen by a
 * host that watches the descriptor. A forked child would arm its parent's. */
static void rearm(loop *l) {
  if (!loop_is_ours(l)) return;
  int64_t moment = l->deadline < l->alarm ? l->deadline : l->alarm;
  if (l->sweep_at < moment) moment = l->sweep_at;
  poller_alarm(l->poller, list_empty(&l->ready) && !l->rereads ? moment : 0);
}

sockets *loop_sockets(loop *l) {
  return &l->sockets;
}

int loop_watch(loop *l) {
  l->watched = true;
  int fd = poller_watch(l->poller);
  rearm(l);
  return fd;
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
  m->running = m->loop->has_begun = true;
  m->loop->running++;
  return 0;
}

int loop_restart(loop_member *m) {
  bool held = hold_pipes();
  curl_multi_remove_handle(m->loop->multi, m->easy);
  platform_release_pipes(held);
  return curl_multi_add_handle(m->loop->multi, m->easy) == CURLM_OK ? 0 : -1;
}

CURLcode loop_unpause(loop_member *m) {
  bool held = hold_pipes();
  CURLcode code = curl_easy_pause(m->easy, CURLPAUSE_CONT);
  platform_release_pipes(held);
  return code;
}

/* An HTTP/2 stream that is merely removed lets the server go on generating, unless its connection
 * may not be used again; HTTP/1.1 closes an unfinished connection by itself. To one that is done
 * the option means nothing. */
static void take_from_curl(loop *l, loop_member *m) {
  bool held = hold_pipes();
  curl_easy_setopt(m->easy, CURLOPT_FORBID_REUSE, 1L);
  curl_multi_remove_handle(l->multi, m->easy);
  platform_release_pipes(held);
  m->running = false;
  l->running--;
  if (m->drains) l->draining--;
  if (l->sweep_at == CLOCK_NEVER) l->sweep_at = clock_after(clock_now(), IDLE);
}

void loop_stop(loop_member *m) {
  if (m->easy == NULL) return;
  socket_let_go(&m->connection);
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

void loop_drains(loop_member *m) {
  m->drains = true;
  m->loop->draining++;
}

void loop_alarm(loop *l, int64_t moment) {
  l->alarm = moment;
  rearm(l);
}

void loop_reread(loop_member *m) {
  m->rereads = true;
  if (m->loop == NULL || m->loop->rereads) return;
  m->loop->rereads = true;
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
    if (m == NULL)
      end_sweep(l);
    else
      m->class->done(m, code);
  }
}

/* Reading may bring more, and want to be done again: that is for the next time. */
static void reread(loop *l) {
  if (!l->rereads) return;
  l->rereads = false;
  for (list *node = l->members.next; node != &l->members; node = node->next) {
    loop_member *m = LIST_OWNER(node, loop_member, node);
    if (!m->rereads) continue;
    m->rereads = false;
    if (m->running && m->connection.socket != NULL)
      poller_reread(l->poller, socket_descriptor(m->connection.socket));
  }
}

void loop_poke_all(loop *l) {
  l->pokes_all = true;
}

static void poke_all(loop *l) {
  if (!l->pokes_all) return;
  l->pokes_all = false;
  poller_poke_all(l->poller);
  collect_finished(l);
}

void loop_arm_deadline(loop *l, int64_t moment) {
  if (moment < l->deadline) l->deadline = moment;
}

/* Traffic only moves deadlines later, so l->deadline is a lower bound: all members are looked at
 * only once it has passed. */
static void check_deadlines(loop *l, int64_t now) {
  l->deadline = CLOCK_NEVER;
  for (list *node = l->members.next, *next; node != &l->members; node = next) {
    loop_member *m = LIST_OWNER(node, loop_member, node);
    next = node->next;
    if (m->running) loop_arm_deadline(l, m->class->check_deadlines(m, now));
  }
}

/* Of a stretch of time that ended so late, how much nobody drove the loop: a little late is a busy
 * machine, very late is a process that was not there at all. */
static int64_t undriven(int64_t stretch, int64_t late) {
  if (late <= LATE) return 0;
  return late <= STOPPED ? late : stretch;
}

static void skip_idle_time(loop *l, int64_t ns, int64_t now) {
  if (ns <= 0) return;
  for (list *node = l->members.next; node != &l->members; node = node->next) {
    loop_member *m = LIST_OWNER(node, loop_member, node);
    m->class->skip_idle_time(m, ns, now);
  }
}

/* A host with the descriptor may wait for long, and comes when a clock is due. Any other steps now
 * and then. */
static void skip_time_between_steps(loop *l, int64_t now) {
  int64_t gap = now - l->stepped_at;
  int64_t late = l->deadline == CLOCK_NEVER ? 0 : now - l->deadline;
  skip_idle_time(l, l->watched ? undriven(gap, late) : gap - FRAME, now);
}

/* A process that is stopped inside a wait wakes late. */
static void skip_time_in_wait(loop *l, int64_t now) {
  poller_wait wait = poller_last_wait(l->poller);
  skip_idle_time(l, undriven(wait.took, wait.late), now);
}

/* Connections that became idle meanwhile are looked at when they have had their time. */
static void sweep_idle(loop *l, int64_t now) {
  if (now < l->sweep_at || l->sweep != NULL) return;
  bool may_be_kept = l->sockets.count > 0;
  l->sweep_at = may_be_kept ? clock_after(now, IDLE) : CLOCK_NEVER;
  if (may_be_kept) l->sweep = loop_idle_sweep(l->multi);
}

/* Deadlines are checked after all waiting bytes were read, never before: a late reader is not a
 * silent server. A budget that never allows for that has to give way. */
static void drive(loop *l, int64_t until, int64_t budget) {
  int64_t now = clock_now();
  skip_time_between_steps(l, now);
  l->driving = true;
  l->has_begun = false;
  if (l->deadline < now - LATE) budget = CLOCK_NEVER;
  bool all = poller_drive(l->poller, until, budget);
  reread(l);
  collect_finished(l);
  now = clock_now();
  skip_time_in_wait(l, now);
  if (all && now >= l->deadline) {
    check_deadlines(l, now);
    poke_all(l);
  }
  sweep_idle(l, now);
  l->driving = false;
  rearm(l);
  l->stepped_at = now;
}

void loop_step(loop *l, int64_t wait, int64_t budget) {
  int64_t now = clock_now();
  bool held = hold_pipes();
  drive(l, list_empty(&l->ready) ? clock_after(now, wait) : now, budget);
  platform_release_pipes(held);
}

/* What was just started is begun first: libcurl asks for that by a timer, and a wait that ends with
 * a timer has brought nothing. */
void loop_wait(loop *l, int64_t wait) {
  int64_t until = clock_after(clock_now(), wait);
  bool held = hold_pipes();
  l->alarm = CLOCK_NEVER;
  while (loop_next_ready(l) != NULL) continue;
  if (l->has_begun) drive(l, 0, CLOCK_NEVER);
  if (list_empty(&l->ready)) drive(l, until, CLOCK_NEVER);
  while (loop_next_ready(l) != NULL) continue;
  platform_release_pipes(held);
}

void loop_drain(loop *l) {
  bool held = hold_pipes();
  if (l->draining > 0) drive(l, 0, CLOCK_NEVER);
  platform_release_pipes(held);
}
