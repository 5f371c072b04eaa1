/* poller_descriptor.c: poller.h behind one descriptor: readiness.h's set of sockets.
 *
 * For a host that watches it the descriptor also shows that there is something
 * to do now, or when there will be: the earliest of libcurl's own timer, the
 * alarm and look_at. libcurl: curl_multi_socket_action(3).
 */
#define CURL_DISABLE_DEPRECATION /* curl_multi_socket_all */
#include "poller_class.h"

#include "clock.h"
#include "mem.h"
#include "readiness.h"

#define MAX_ROUNDS  32 /* batches before the caller gets a turn */
#define BLIND_PAUSE (ONE_SECOND / 50)

typedef struct descriptor_poller {
  poller base; /* first: a poller is one of these */
  readiness set;
  int64_t curl_due; /* when libcurl wants to be called, or CLOCK_NEVER */
  int64_t look_at;  /* when to look at everything, where the kernel refused to watch it, or
                       CLOCK_NEVER */
  size_t sockets;   /* how many are in the set */
  bool watched;     /* by a host */
  bool driving;     /* what the descriptor shows is settled when that ends */
} descriptor_poller;

static descriptor_poller *own(poller *p) {
  return (descriptor_poller *)p;
}

static int64_t sooner(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t earliest(const descriptor_poller *d) {
  return sooner(sooner(d->curl_due, d->base.alarm), d->look_at);
}

/* ---- what the descriptor shows ---- */

/* A timer that is set too early wakes the host once in vain, and costs less than setting it anew
 * each time. */
static void show(descriptor_poller *d) {
  if (!d->watched || d->driving) return;
  int64_t moment = earliest(d);
  bool now = moment != CLOCK_NEVER && moment <= clock_now();
  readiness_show_now(&d->set, now);
  if (!now && moment < d->set.armed) readiness_set_timer(&d->set, moment);
}

/* CURLMOPT_TIMERFUNCTION */
static int on_timer(CURLM *multi, long timeout_ms, void *self) {
  descriptor_poller *d = self;
  (void)multi;
  d->curl_due = timeout_ms < 0 ? CLOCK_NEVER : clock_now() + timeout_ms * (ONE_SECOND / 1000);
  show(d);
  return 0;
}

/* CURLMOPT_SOCKETFUNCTION; `known` is set once a socket is in the set. libcurl must not hear that
 * the kernel has no room for one more: it would drive nothing again, and 7.88 would use what it has
 * freed. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *known) {
  descriptor_poller *d = self;
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    readiness_remove(&d->set, fd);
    if (known != NULL) d->sockets--;
  } else if (!readiness_set(&d->set, fd, what, known != NULL)) {
    d->look_at = 0;
  } else if (known == NULL) {
    curl_multi_assign(d->base.multi, fd, d);
    d->sockets++;
  }
  return 0;
}

static poller *make(CURLM *multi) {
  descriptor_poller *d = mem_zeroed(sizeof *d);
  if (d == NULL) return NULL;
  d->curl_due = d->look_at = CLOCK_NEVER;
  if (readiness_open(&d->set) != 0) {
    mem_free(d);
    return NULL;
  }
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, d);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, d);
  return &d->base;
}

static void free_it(poller *p) {
  readiness_close(&own(p)->set);
  mem_free(p);
}

/* Without room for its clocks the descriptor would not tell all. */
static int watch(poller *p) {
  descriptor_poller *d = own(p);
  if (!d->watched) d->watched = readiness_open_clocks(&d->set);
  show(d);
  return d->watched ? d->set.fd : -1;
}

static void alarm_changed(poller *p) {
  show(own(p));
}

static void rest(poller *p) {
  descriptor_poller *d = own(p);
  d->curl_due = d->look_at = CLOCK_NEVER;
  show(d);
  if (d->set.armed != CLOCK_NEVER) readiness_set_timer(&d->set, CLOCK_NEVER);
}

/* ---- driving ---- */

static void act(descriptor_poller *d, curl_socket_t fd, int bits) {
  int running;
  curl_multi_socket_action(d->base.multi, fd, bits, &running);
}

static void act_on_timer(descriptor_poller *d) {
  if (clock_now() < d->curl_due) return;
  d->curl_due = CLOCK_NEVER;
  act(d, CURL_SOCKET_TIMEOUT, 0);
}

static void look_at_all(descriptor_poller *d) {
  int running;
  curl_multi_socket_all(d->base.multi, &running);
}

/* One socket is not watched, and nobody knows for how long: from here on this loop polls. */
static void look_where_blind(descriptor_poller *d) {
  int64_t now = clock_now();
  if (now < d->look_at) return;
  look_at_all(d);
  d->look_at = now + BLIND_PAUSE;
}

/* Returns whether time ran out before the last socket. */
static bool act_on_ready(descriptor_poller *d, const ready_socket *ready, int n,
                         int64_t give_back) {
  for (int i = 0; i < n; i++) {
    act(d, ready[i].fd, ready[i].bits);
    if (i + 1 < n && give_back != CLOCK_NEVER && clock_now() >= give_back) return true;
  }
  return false;
}

static int wait_for_ready(descriptor_poller *d, int64_t until, ready_socket *ready, bool *full) {
  int64_t began = clock_now();
  int ms = clock_poll_timeout(began, sooner(earliest(d), until));
  bool is_vain = ms == 0 && d->sockets == 0 && !d->watched;
  *full = false;
  int n = is_vain ? 0 : readiness_wait(&d->set, ms, ready, full);
  d->base.wait.took = clock_now() - began;
  d->base.wait.late = ms < 0 ? 0 : d->base.wait.took - ms * (ONE_SECOND / 1000);
  return n;
}

static bool act_on_sockets(descriptor_poller *d, int64_t until, int64_t budget) {
  ready_socket ready[READINESS_BATCH];
  bool full;
  int n = wait_for_ready(d, until, ready, &full);
  int64_t give_back = budget == CLOCK_NEVER ? CLOCK_NEVER : clock_after(clock_now(), budget);
  for (int round = 1;; round++) {
    if (act_on_ready(d, ready, n, give_back)) return false;
    if (!full) return true;
    if (round == MAX_ROUNDS) return false;
    n = readiness_wait(&d->set, 0, ready, &full);
  }
}

static bool drive(poller *p, int64_t until, int64_t budget) {
  descriptor_poller *d = own(p);
  d->driving = true;
  readiness_show_now(&d->set, false);
  bool all = act_on_sockets(d, until, budget);
  act_on_timer(d);
  look_where_blind(d);
  d->driving = false; /* the loop sets its alarm next, which shows all of it */
  return all;
}

static void reread(poller *p, curl_socket_t fd) {
  act(own(p), fd, CURL_CSELECT_IN);
}

/* The first time libcurl gives an address up, the second time it opens the socket for the next. */
static void poke_all(poller *p) {
  look_at_all(own(p));
  look_at_all(own(p));
}

const poller_class poller_descriptor = {make, free_it, watch,  alarm_changed,
                                        rest, drive,   reread, poke_all};
