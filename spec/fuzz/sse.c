/* sse.c: fuzzes the SSE parser (src/sse.h) against a naive reading of the
 * WHATWG text and against itself.
 *
 * An input is: a byte for max_event_bytes (255: none that matters), a byte of
 * flags (1: nothing is pulled before the end), four sizes of pieces that are
 * fed in turn, and the stream. However the stream is cut, the parser must give
 * the events, the failure and the reconnection time that the naive reader gives.
 */
#include "../../src/sse.h"

#include <string.h>

#include "fuzz.h"

#define SETTINGS   6
#define PULL_LATE  1
#define NAME_ROOM  8 /* a line may be so much longer than its data */
#define MAX_DIGITS 15

/* What a reader made of a stream: its events, each as three texts, and how it went. */
typedef struct result {
  buffer events;
  size_t count;
  bool failed;
  int64_t retry;
} result;

static void add_text(result *r, const char *text, size_t n) {
  demand(buffer_append(&r->events, (const char *)&n, sizeof n) == 0, "memory");
  demand(buffer_append(&r->events, text, n) == 0, "memory");
}

static void add_event(result *r, const sse_event *e) {
  add_text(r, e->data, e->data_length);
  add_text(r, e->type, e->type_length);
  add_text(r, e->id, e->id_length);
  r->count++;
}

static void free_result(result *r) {
  buffer_free(&r->events);
}

static void compare(const result *wanted, const result *got, const char *what) {
  size_t n = buffer_length(&wanted->events);
  demand(wanted->failed == got->failed, what);
  demand(wanted->retry == got->retry, what);
  demand(wanted->count == got->count && n == buffer_length(&got->events), what);
  demand(memcmp(buffer_bytes(&wanted->events), buffer_bytes(&got->events), n) == 0, what);
}

/* ---- the naive reader: "Interpreting an event stream", step by step ---- */

typedef struct reader {
  size_t max;
  buffer data, type, id;
  result *result;
} reader;

static void set(buffer *b, const char *value, size_t n) {
  buffer_clear(b);
  demand(buffer_append(b, value, n) == 0, "memory");
}

static void naive_dispatch(reader *r) {
  size_t n = buffer_length(&r->data);
  sse_event e = {buffer_bytes(&r->data), n - 1,
                 buffer_bytes(&r->type), buffer_length(&r->type),
                 buffer_bytes(&r->id),   buffer_length(&r->id)};
  if (n > 0) add_event(r->result, &e);
  buffer_clear(&r->data);
  buffer_clear(&r->type);
}

static void naive_data(reader *r, const char *value, size_t n) {
  if (buffer_length(&r->data) + n > r->max) {
    r->result->failed = true;
    return;
  }
  demand(buffer_append(&r->data, value, n) == 0 && buffer_append(&r->data, "\n", 1) == 0, "memory");
}

static void naive_retry(reader *r, const char *value, size_t n) {
  char digits[MAX_DIGITS + 1] = "";
  if (n == 0 || n > MAX_DIGITS) return;
  memcpy(digits, value, n);
  if (strspn(digits, "0123456789") == n) r->result->retry = strtoll(digits, NULL, 10);
}

static bool is_named(const char *name, const char *line, size_t n) {
  return strlen(name) == n && memcmp(name, line, n) == 0;
}

static void naive_line(reader *r, const char *line, size_t n) {
  if (n > r->max + NAME_ROOM) r->result->failed = true;
  if (r->result->failed) return;
  if (n == 0) naive_dispatch(r);
  size_t name = 0;
  while (name < n && line[name] != ':') name++;
  size_t at = name < n ? name + 1 : n;
  if (at < n && line[at] == ' ') at++;
  if (is_named("data", line, name)) naive_data(r, line + at, n - at);
  if (is_named("event", line, name)) set(&r->type, line + at, n - at);
  if (is_named("id", line, name) && memchr(line + at, '\0', n - at) == NULL)
    set(&r->id, line + at, n - at);
  if (is_named("retry", line, name)) naive_retry(r, line + at, n - at);
}

/* What is left when the stream ends: a line without its end, an event without its blank line. The
 * reconnection time is not read from there: finish forgets it. */
static void naive_end(reader *r, const char *line, size_t n) {
  int64_t retry = r->result->retry;
  if (n > 0) naive_line(r, line, n);
  if (!r->result->failed) naive_dispatch(r);
  r->result->retry = retry;
}

/* Reads a stream to its end; `*before` is how many events came before the unfinished one. */
static void naive(const char *text, size_t n, size_t max, result *out, size_t *before) {
  reader r = {.max = max, .result = out};
  size_t at = n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0, start = at;
  out->retry = -1;
  for (; at < n && !out->failed; at++) {
    if (text[at] != '\n' && text[at] != '\r') continue;
    naive_line(&r, text + start, at - start);
    if (text[at] == '\r' && at + 1 < n && text[at + 1] == '\n') at++;
    start = at + 1;
  }
  *before = out->count;
  bool failed = out->failed || n - start > max + NAME_ROOM;
  if (!out->failed) naive_end(&r, text + start, n - start);
  out->failed = failed;
  buffer_free(&r.data);
  buffer_free(&r.type);
  buffer_free(&r.id);
}

/* ---- the parser ---- */

typedef struct pieces {
  size_t sizes[4];
  bool late; /* nothing is pulled before the end */
} pieces;

static void pull(sse *p, size_t max, result *r) {
  sse_event e;
  size_t queued = sse_queued(p);
  while (sse_next(p, &e)) {
    demand(e.data_length <= max, "an event is over the limit");
    demand(sse_queued(p) < queued, "pulling leaves less");
    queued = sse_queued(p);
    add_event(r, &e);
  }
  demand(sse_queued(p) == 0, "what was pulled is gone");
}

static void check_sticky(sse *p, int failure) {
  size_t queued = sse_queued(p);
  demand(sse_feed(p, "data: x\n\n", 9) == failure, "a failure sticks");
  demand(sse_feed(p, "", 0) == failure, "a failure sticks");
  demand(sse_queued(p) == queued, "no event after a failure");
}

static void feed(sse *p, const char *text, size_t n, const pieces *how, result *r) {
  size_t turn = 0;
  int status = SSE_OK;
  for (size_t at = 0; at < n && status == SSE_OK; turn++) {
    size_t size = how->sizes[turn % 4];
    if (size > n - at) size = n - at;
    /* A block of its own, so that reading past it is seen. */
    char *piece = malloc(size + 1);
    demand(piece != NULL, "memory");
    memcpy(piece, text + at, size);
    status = sse_feed(p, piece, size);
    free(piece);
    if (!how->late) pull(p, p->max_event_bytes, r);
    at += size;
  }
  demand(status == SSE_OK || status == SSE_TOO_LARGE, "no other failure");
  if (status != SSE_OK) check_sticky(p, status);
  r->failed = status != SSE_OK;
  r->retry = p->retry;
}

/* The unfinished event is handed over at once; those before it stay to be pulled. */
static void finish(sse *p, result *r) {
  sse_event e;
  result last = {.retry = -1};
  bool found = sse_finish(p, &e);
  if (found) add_event(&last, &e);
  pull(p, p->max_event_bytes, r);
  size_t n = buffer_length(&last.events);
  demand(buffer_append(&r->events, buffer_bytes(&last.events), n) == 0, "memory");
  r->count += last.count;
  demand(!sse_finish(p, &e), "a second finish finds nothing");
  free_result(&last);
}

static void check(const char *text, size_t n, size_t max, const pieces *how, const char *what) {
  sse p;
  size_t before;
  result wanted = {.retry = -1};
  naive(text, n, max, &wanted, &before);
  sse_init(&p, max);
  for (int round = 0; round < 2; round++) { /* the second: finish has made it new */
    result got = {.retry = -1};
    feed(&p, text, n, how, &got);
    if (!how->late) demand(got.count == before, "no event before its blank line");
    finish(&p, &got);
    compare(&wanted, &got, what);
    free_result(&got);
  }
  sse_free(&p);
  free_result(&wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  if (n < SETTINGS) return 0;
  const char *text = (const char *)bytes + SETTINGS;
  size_t max = bytes[0] == 255 ? 1 << 20 : (size_t)bytes[0] + 1;
  bool late = bytes[1] & PULL_LATE;
  pieces whole = {{n, n, n, n}, late}, single = {{1, 1, 1, 1}, late};
  pieces chosen = {{bytes[2], bytes[3], bytes[4], bytes[5]}, late};
  n -= SETTINGS;
  if (chosen.sizes[0] + chosen.sizes[1] + chosen.sizes[2] + chosen.sizes[3] == 0) chosen = whole;
  check(text, n, max, &whole, "fed whole, it agrees with the standard");
  check(text, n, max, &single, "fed byte by byte, it agrees with the standard");
  check(text, n, max, &chosen, "fed in pieces, it agrees with the standard");
  return 0;
}
