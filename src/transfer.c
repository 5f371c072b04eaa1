/* transfer.c: see transfer.h. Its life, its clocks and its pulls; what it has
 * to do with libcurl is in transfer_options.c and transfer_events.c. */
#define _POSIX_C_SOURCE 200809L
#include "transfer_private.h"

#include <string.h>
#include <strings.h>

#include "clock.h"
#include "mem.h"

#define DRAIN_TIME   (ONE_SECOND / 10)
#define LOOK_AGAIN   (ONE_SECOND / 4)
#define TOTAL_WORDS  "it took too long in all"
#define EVENT_WORDS  "no event came for too long"
#define UNSAID_WORDS "it ended without TLS's end of data: the answer may be cut"

/* ---- states ---- */

void transfer_reach(transfer *t, transfer_progress progress) {
  if (progress > t->progress) t->progress = progress;
}

/* What is over stays over. */
void transfer_turn(transfer *t, transfer_activity activity) {
  if (activity == ACTIVITY_PULLED || t->activity < ACTIVITY_OVER) t->activity = activity;
}

bool transfer_is_under_way(const transfer *t) {
  return t->activity == ACTIVITY_RUNNING || t->activity == ACTIVITY_PAUSED ||
         t->activity == ACTIVITY_DRAINING;
}

bool transfer_is_over(const transfer *t) {
  return t->activity >= ACTIVITY_OVER;
}

/* ---- ends ---- */

static void stop(transfer *t) {
  if (t->member.easy != NULL && t->member.running && loop_is_ours(t->member.loop))
    transfer_read_timings(t, &t->timings);
  loop_stop(&t->member);
  transfer_turn(t, ACTIVITY_OVER);
  loop_ready(&t->member);
}

static void fail(transfer *t, failure_class class, const char *text) {
  transfer_note_failure(t, class, text);
  stop(t);
}

void transfer_close(transfer *t) {
  if (t->activity == ACTIVITY_PULLED) return;
  sse_free(&t->events);
  fail(t, FAILURE_CLOSED, "closed before its end");
}

void transfer_free(transfer *t) {
  if (t == NULL) return;
  loop_leave(&t->member);
  list_remove(&t->group);
  header_lines_drop(t->lines);
  request_url_drop(t->url);
  buffer_free(&t->request_body);
  form_free(t->form);
  sink_free(&t->sink);
  failure_free(&t->failure);
  buffer_free(&t->headers);
  buffer_free(&t->body);
  sse_free(&t->events);
  mem_free(t);
}

/* ---- clocks ---- */

typedef struct deadline {
  int64_t moment;
  failure_class class;
  const char *text;
} deadline;

static void sooner(deadline *d, int64_t start, int64_t limit, failure_class class,
                   const char *text) {
  int64_t moment = limit == 0 ? CLOCK_NEVER : clock_after(start, limit);
  if (moment < d->moment) *d = (deadline){moment, class, text};
}

/* The clocks of silence stand still while the transfer is paused: then it is not the server that
 * keeps silent. */
static deadline next_deadline(const transfer *t) {
  const transfer_options *o = &t->options;
  deadline d = {CLOCK_NEVER, FAILURE_NONE, ""};
  sooner(&d, t->started_at, o->total_timeout, FAILURE_TOTAL_TIMEOUT, TOTAL_WORDS);
  if (t->progress == PROGRESS_NONE)
    sooner(&d, t->active_at, o->connect_timeout, FAILURE_CONNECT_TIMEOUT, "no connection in time");
  if (t->progress == PROGRESS_NONE || t->activity == ACTIVITY_PAUSED) return d;
  sooner(&d, t->active_at, o->timeout, FAILURE_SILENCE_TIMEOUT, "nothing came for too long");
  if (!o->stream) return d;
  sooner(&d, t->event_at, o->event_timeout, FAILURE_EVENT_TIMEOUT, EVENT_WORDS);
  sooner(&d, t->event_at, t->event_limit, FAILURE_EVENT_TIMEOUT, EVENT_WORDS);
  return d;
}

/* Bytes that are no whole line of the head are no silence either. */
static deadline due_deadline(transfer *t, int64_t now) {
  deadline d = next_deadline(t);
  if (now < d.moment || d.class != FAILURE_SILENCE_TIMEOUT) return d;
  int64_t heard_at = transfer_heard_at(t, now);
  if (heard_at > t->active_at) t->active_at = heard_at;
  return next_deadline(t);
}

static int64_t check_drain(transfer *t, int64_t now) {
  if (now < t->drain_until) return t->drain_until;
  transfer_free(t);
  return CLOCK_NEVER;
}

static int64_t check_deadlines(loop_member *m, int64_t now) {
  transfer *t = transfer_of_member(m);
  if (t->activity == ACTIVITY_DRAINING) return check_drain(t, now);
  deadline d = due_deadline(t, now);
  if (now >= d.moment) {
    fail(t, d.class, d.text);
    return CLOCK_NEVER;
  }
  if (t->progress > PROGRESS_NONE) return d.moment;
  loop_poke_all(m->loop);
  return d.moment < now + LOOK_AGAIN ? d.moment : now + LOOK_AGAIN;
}

void transfer_arm_deadline(transfer *t) {
  loop *l = t->member.loop;
  if (t->progress == PROGRESS_NONE) loop_arm_deadline(l, clock_now() + LOOK_AGAIN);
  loop_arm_deadline(l, t->activity == ACTIVITY_DRAINING ? t->drain_until : next_deadline(t).moment);
}

static int64_t later(int64_t moment, int64_t ns, int64_t now) {
  return moment + ns < now ? moment + ns : now;
}

/* Not past now: the transfer may have begun since the loop was last driven. */
static void skip_idle_time(loop_member *m, int64_t ns, int64_t now) {
  transfer *t = transfer_of_member(m);
  t->active_at = later(t->active_at, ns, now);
  t->event_at = later(t->event_at, ns, now);
  if (t->progress == PROGRESS_NONE && m->running) transfer_extend_connect_timeout(t, ns);
}

void transfer_limit_events(transfer *t, int64_t ns) {
  if (transfer_is_over(t) || t->activity == ACTIVITY_DRAINING) return;
  t->event_limit = ns;
  transfer_arm_deadline(t);
}

/* ---- the loop's view ---- */

/* Nothing was sent: the caller need not know. Returns whether the exchange goes on. */
static bool start_anew(transfer *t) {
  t->stale = false;
  t->active_at = t->event_at = clock_now();
  if (transfer_set_fresh(t) != CURLE_OK || loop_restart(&t->member) != 0) return false;
  transfer_arm_deadline(t);
  return true;
}

static void on_done(loop_member *m, CURLcode code) {
  transfer *t = transfer_of_member(m);
  if (t->activity == ACTIVITY_DRAINING) {
    transfer_free(t);
    return;
  }
  if (t->stale && start_anew(t)) return;
  if (code != CURLE_OK) transfer_note_code(t, code);
  if (t->end_unsaid) transfer_note_failure(t, FAILURE_LOST, UNSAID_WORDS);
  if (t->progress < PROGRESS_HEAD) /* libcurl takes an end among the headers for a good one */
    transfer_note_failure(t, FAILURE_LOST, "it ended among the headers");
  transfer_end_file(t);
  stop(t);
}

static void on_orphaned(loop_member *m) {
  transfer *t = transfer_of_member(m);
  if (t->activity == ACTIVITY_DRAINING)
    transfer_free(t);
  else
    transfer_close(t);
}

static const loop_class class = {on_done, check_deadlines, skip_idle_time, on_orphaned};

loop_member *transfer_member(transfer *t) {
  return &t->member;
}

transfer *transfer_of_member(loop_member *m) {
  return (transfer *)m;
}

void transfer_join_group(transfer *t, list *group) {
  list_append(group, &t->group);
}

void transfer_close_group(list *group) {
  for (list *node = group->next, *next; node != group; node = next) {
    transfer *t = LIST_OWNER(node, transfer, group);
    next = node->next;
    on_orphaned(&t->member);
  }
}

/* ---- beginnings ---- */

transfer *transfer_new(loop *l) {
  transfer *t = mem_zeroed(sizeof *t);
  if (t == NULL) return NULL;
  t->member.class = &class;
  if (loop_join(l, &t->member) == 0) return t;
  mem_free(t);
  return NULL;
}

int transfer_add_body(transfer *t, const char *bytes, size_t n) {
  return buffer_append(&t->request_body, bytes, n);
}

static void set_options(transfer *t, const transfer_options *options) {
  t->options = *options;
  t->options.is_https = strncasecmp(options->url, "https:", 6) == 0;
  sse_init(&t->events, options->max_event_bytes);
  t->events.lenient = true;
}

int transfer_start(transfer *t, const transfer_options *options) {
  if (transfer_is_over(t)) return -1; /* closed already */
  loop_drain(t->member.loop);
  set_options(t, options);
  t->started_at = t->active_at = t->event_at = clock_now();
  CURLcode code = transfer_set_easy(t);
  transfer_turn(t, ACTIVITY_RUNNING);
  if (code == CURLE_OK && loop_start(&t->member) != 0) code = CURLE_OUT_OF_MEMORY;
  if (code == CURLE_OK) {
    transfer_arm_deadline(t);
    return 0;
  }
  transfer_note_code(t, code);
  stop(t);
  return -1;
}

/* ---- pulls ---- */

transfer_status transfer_head(const transfer *t) {
  if (t->failure.class == FAILURE_CLOSED) return TRANSFER_FAILED;
  if (t->progress == PROGRESS_HEAD && (transfer_is_over(t) || !t->undecided)) return TRANSFER_READY;
  return transfer_is_over(t) ? TRANSFER_FAILED : TRANSFER_WAIT;
}

/* loop_unpause calls transfer_on_body before it returns, which may pause again or fail. */
static void resume(transfer *t) {
  if (t->activity != ACTIVITY_PAUSED || sse_queued(&t->events) > LOW_WATER) return;
  transfer_turn(t, ACTIVITY_RUNNING);
  t->active_at = t->event_at = clock_now();
  CURLcode code = loop_unpause(&t->member);
  if (code != CURLE_OK) transfer_note_code(t, code);
  if (t->failure.class != FAILURE_NONE)
    stop(t);
  else
    transfer_arm_deadline(t);
}

/* While what came is pulled, perhaps nobody steps the loop. */
static void check_total_timeout(transfer *t) {
  int64_t limit = t->options.total_timeout;
  if (limit == 0 || !transfer_is_under_way(t)) return;
  if (clock_now() >= clock_after(t->started_at, limit)) fail(t, FAILURE_TOTAL_TIMEOUT, TOTAL_WORDS);
}

static bool next_unfinished(transfer *t, sse_event *event, bool *unfinished) {
  if (t->activity == ACTIVITY_PULLED || t->failure.class != FAILURE_NONE) return false;
  transfer_turn(t, ACTIVITY_PULLED);
  *unfinished = sse_finish(&t->events, event);
  return *unfinished;
}

static bool next_of_last_line(transfer *t, sse_event *event) {
  if (t->activity == ACTIVITY_PULLED || t->failure.class != FAILURE_NONE) return false;
  sse_end_line(&t->events);
  return sse_next(&t->events, event);
}

transfer_status transfer_next(transfer *t, sse_event *event, bool *unfinished) {
  *unfinished = false;
  check_total_timeout(t);
  if (t->failure.class == FAILURE_TOTAL_TIMEOUT) return TRANSFER_FAILED;
  resume(t);
  if (sse_next(&t->events, event)) return TRANSFER_READY;
  sse_rest(&t->events);
  if (!transfer_is_over(t)) return TRANSFER_WAIT;
  if (next_of_last_line(t, event)) return TRANSFER_READY;
  if (next_unfinished(t, event, unfinished)) return TRANSFER_READY;
  return t->failure.class == FAILURE_NONE ? TRANSFER_END : TRANSFER_FAILED;
}

bool transfer_peek(transfer *t, sse_event *event) {
  check_total_timeout(t);
  if (t->failure.class == FAILURE_TOTAL_TIMEOUT) return false;
  resume(t);
  if (sse_peek(&t->events, event)) return true;
  sse_rest(&t->events);
  return false;
}

bool transfer_waits(const transfer *t) {
  return sse_queued(&t->events) == 0 && !transfer_is_over(t);
}

void transfer_drop(transfer *t) {
  sse_event event;
  sse_next(&t->events, &event);
}

transfer_status transfer_body(const transfer *t, const buffer **body) {
  *body = &t->body;
  if (!transfer_is_over(t)) return TRANSFER_WAIT;
  return t->failure.class == FAILURE_NONE ? TRANSFER_READY : TRANSFER_FAILED;
}

static void move(buffer *from, buffer *into) {
  buffer_free(into);
  *into = *from;
  *from = (buffer){0};
}

void transfer_take_body(transfer *t, buffer *into) {
  move(&t->body, into);
}

void transfer_take_headers(transfer *t, buffer *into) {
  move(&t->headers, into);
}

int transfer_http_status(const transfer *t) {
  return t->http_status;
}

const buffer *transfer_headers(const transfer *t) {
  return &t->headers;
}

bool transfer_is_event_stream(const transfer *t) {
  return t->is_event_stream;
}

const failure *transfer_failure_of(const transfer *t) {
  return &t->failure;
}

bool transfer_was_sent(const transfer *t) {
  return t->progress > PROGRESS_NONE;
}

bool transfer_was_lost_unanswered(const transfer *t) {
  return t->lost_unanswered;
}

bool transfer_was_not_processed(const transfer *t) {
  return t->not_processed;
}

void transfer_get_timings(const transfer *t, transfer_timings *timings) {
  *timings = t->timings;
  if (transfer_is_under_way(t)) transfer_read_timings(t, timings);
}

void transfer_release(transfer *t) {
  bool was_paused = t->activity == ACTIVITY_PAUSED;
  if (!transfer_is_under_way(t) || !loop_is_ours(t->member.loop)) {
    transfer_free(t);
    return;
  }
  transfer_turn(t, ACTIVITY_DRAINING);
  t->member.owner = NULL;
  list_remove(&t->member.ready);
  t->drain_until = clock_now() + DRAIN_TIME;
  if (was_paused) loop_unpause(&t->member);
  loop_drains(&t->member);
  transfer_arm_deadline(t);
}
