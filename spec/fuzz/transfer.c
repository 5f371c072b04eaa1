/* transfer.c: fuzzes one HTTP exchange, and those after it on the same loop:
 * the core from the loop down and the real libcurl against a server that sends
 * what the input says (see wire.h; no time passes but what the input asks for).
 *
 * An input is eight bytes of settings (struct settings) and a script: bytes to
 * send, among them 0xFF and an operation:
 *
 *   s     let the client read what came       t n   let n times 40 ms pass
 *   p     pull once                           P     pull all there is
 *   c     the server closes                   r     the server resets
 *   x     transfer_close    f  transfer_free  R     transfer_release
 *   L     loop_free under the transfer        n     the next request
 *   * n k the last n bytes again, k * k times       0xFF  the byte itself
 *
 * Whatever comes, an exchange ends in a bounded number of steps, and stays as it
 * ended; limits hold; an answer that answer.h finds whole arrives whole, one that
 * lacks something fails. What is left afterwards is looked for by LeakSanitizer and in /proc.
 */
#define _POSIX_C_SOURCE 200809L
#include "../../src/transfer.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "../../src/clock.h"
#include "answer.h"
#include "fuzz.h"
#include "wire.h"

#define OPERATION  0xFF
#define TICK       (ONE_SECOND / 25)   /* short enough to count as driving the loop */
#define TOTAL      (12 * TICK)         /* of total_timeout: no exchange lasts longer */
#define MAX_STEPS  200                 /* of an exchange whose server is done */
#define MAX_SENT   ((size_t)288 << 10) /* of an input, with its repeats: a head may have less */
#define MAX_PIECES 64                  /* after these, the rest is sent at once */
#define MAX_TRIES  40                  /* to send to a client that is full */
#define MAX_HEAD   ((size_t)256 * 1024)

enum { STREAM = 1, HTTP2 = 2, POST = 4, HEAD = 8, LATE = 16, DEAF = 64, REFUSES = 128 };
enum { BY_END, BY_RESET, BY_SILENCE }; /* what the server does after the script */

typedef struct settings {
  uint8_t flags;
  uint8_t end;       /* % 3: one of BY_*; / 3 % 4: the order in which all is freed */
  uint8_t max_body;  /* 0: none; below 128: bytes; else KiB from 1 */
  uint8_t max_event; /* the same */
  uint8_t clocks;    /* bits: connect 1, silence 2, event 4 */
  uint8_t request;   /* its square is the size of the request's body */
  uint8_t piece;     /* 0: the server sends as the script goes; else in pieces of so many bytes */
  uint8_t spare;
} settings;

typedef struct exchange {
  loop *loop;
  transfer *transfer; /* NULL once freed */
  settings set;
  transfer_options options;
  transfer_status last; /* of the events' pull: sticky once it is an end */
  bool first;           /* nothing was sent to an exchange before this one */
  bool disturbed;       /* by the program, so that nothing is known of how it ends */
  bool lost;            /* the server could not send it all */
  bool ended, reset;    /* the connection, by the server */
  size_t unfinished;    /* events without their blank line */
  buffer sent, events;
} exchange;

EXTRA_COUNTERS;
static size_t descriptors; /* open before the first execution */

/* ---- requests ---- */

static size_t limit(uint8_t setting) {
  return setting < 128 ? setting : (size_t)(setting - 127) << 10;
}

static transfer_options options_of(const settings *set) {
  transfer_options o = {
      .method = set->flags & HEAD   ? "HEAD"
                : set->flags & POST ? "POST"
                                    : "GET",
      .url = "http://127.0.0.1:1/v1/chat/completions",
      .has_body = (set->flags & (POST | HEAD)) == POST,
      .stream = set->flags & STREAM,
      .http2 = set->flags & HTTP2,
      .connect_timeout = set->clocks & 1 ? 3 * TICK : 0,
      .timeout = set->clocks & 2 ? 3 * TICK : 0,
      .event_timeout = set->clocks & 4 ? 5 * TICK : 0,
      .total_timeout = TOTAL,
      .max_body_bytes = limit(set->max_body),
      .max_event_bytes = limit(set->max_event),
      .proxy = "",
  };
  return o;
}

static void add_body(transfer *t, size_t n) {
  char kilobyte[1024];
  memset(kilobyte, '{', sizeof kilobyte);
  for (size_t at = 0; at < n; at += sizeof kilobyte)
    demand(transfer_add_body(t, kilobyte, n - at < 1024 ? n - at : 1024) == 0, "memory");
}

static void start(exchange *x) {
  x->transfer = transfer_new(x->loop);
  x->last = TRANSFER_WAIT;
  demand(x->transfer != NULL, "a transfer");
  demand(transfer_add_header(x->transfer, "Content-Type: application/json") == 0, "memory");
  if (x->options.has_body) add_body(x->transfer, (size_t)x->set.request * x->set.request);
  demand(transfer_head(x->transfer) == TRANSFER_WAIT, "no head before the start");
  transfer_start(x->transfer, &x->options);
}

/* ---- what was pulled ---- */

static void note_event(exchange *x, const sse_event *e) {
  size_t max = x->options.max_event_bytes;
  demand(max == 0 || e->data_length <= max, "an event is over the limit");
  demand(buffer_append(&x->events, e->type, e->type_length) == 0, "memory");
  demand(buffer_append(&x->events, "\1", 1) == 0, "memory");
  demand(buffer_append(&x->events, e->data, e->data_length) == 0, "memory");
  demand(buffer_append(&x->events, "\2", 1) == 0, "memory");
}

static bool pull(exchange *x) {
  sse_event e;
  bool unfinished, over = x->last == TRANSFER_END || x->last == TRANSFER_FAILED;
  if (x->transfer == NULL) return false;
  transfer_status status = transfer_next(x->transfer, &e, &unfinished);
  demand(!over || status == x->last, "the end of the events stays");
  demand(!unfinished || status == TRANSFER_READY, "only an event is unfinished");
  demand(x->unfinished == 0 || status != TRANSFER_READY, "nothing follows the unfinished event");
  demand(status == TRANSFER_WAIT || status == TRANSFER_READY || transfer_is_over(x->transfer),
         "an end is an end");
  x->last = status;
  x->unfinished += unfinished;
  if (status == TRANSFER_READY) note_event(x, &e);
  return status == TRANSFER_READY;
}

static void check_facts(const exchange *x) {
  const buffer *body;
  const transfer *t = x->transfer;
  size_t max = x->options.max_body_bytes;
  transfer_status head = transfer_head(t), whole = transfer_body(t, &body);
  failure_class class = transfer_failure_of(t)->class;
  demand(transfer_http_status(t) == 0 || transfer_http_status(t) >= 200, "a final status");
  demand(head != TRANSFER_READY || transfer_http_status(t) != 0, "a head has a status");
  demand(buffer_length(transfer_headers(t)) <= MAX_HEAD, "the headers are over the limit");
  demand(max == 0 || buffer_length(body) <= max, "the body is over the limit");
  demand((whole != TRANSFER_WAIT) == transfer_is_over(t), "the body comes at the end");
  demand(whole != TRANSFER_READY || head == TRANSFER_READY, "no body without a head");
  demand((whole == TRANSFER_FAILED) == (transfer_is_over(t) && class != FAILURE_NONE),
         "a failure has a class");
  demand(class == FAILURE_NONE || failure_text(transfer_failure_of(t))[0] != '\0',
         "a failure has words");
  demand(!transfer_is_event_stream(t) || x->options.stream, "events only when asked for");
}

static void read_all(exchange *x) {
  while (pull(x)) continue;
  if (x->transfer != NULL) check_facts(x);
}

static void step(exchange *x) {
  if (!(x->set.flags & DEAF)) wire_drain();
  if (x->loop == NULL) return;
  loop_step(x->loop, 0, CLOCK_NEVER);
  while (loop_next_ready(x->loop) != NULL) continue;
  if (x->transfer != NULL) check_facts(x);
  if (!(x->set.flags & LATE)) read_all(x);
}

/* ---- the server ---- */

static void note_sent(exchange *x, const char *bytes, size_t n) {
  demand(buffer_append(&x->sent, bytes, n) == 0, "memory");
}

/* A client that is full is made to read; what it will not read is lost. */
static void send_piece(exchange *x, const char *bytes, size_t n) {
  for (int tries = 0; n > 0 && tries < MAX_TRIES; tries++) {
    ptrdiff_t sent = wire_send(bytes, n);
    if (sent < 0) return; /* nobody is there to read it */
    note_sent(x, bytes, (size_t)sent);
    bytes += sent;
    n -= (size_t)sent;
    if (n == 0) return;
    if (sent == 0) read_all(x);
    step(x);
  }
  if (n > 0) x->lost = true;
}

static void send_bytes(exchange *x, const char *bytes, size_t n) {
  size_t piece = x->set.piece == 0 ? n : x->set.piece;
  if (n > MAX_SENT || buffer_length(&x->sent) > MAX_SENT - n) {
    x->lost = true;
    return;
  }
  for (size_t i = 0; i < MAX_PIECES && n > piece; i++, bytes += piece, n -= piece) {
    send_piece(x, bytes, piece);
    step(x);
  }
  send_piece(x, bytes, n);
}

static void repeat(exchange *x, size_t n, size_t times) {
  char last[UINT8_MAX];
  size_t sent = buffer_length(&x->sent);
  if (n > sent) n = sent;
  if (n == 0) return;
  memcpy(last, buffer_bytes(&x->sent) + sent - n, n);
  size_t whole = n * times * times;
  if (whole > MAX_SENT) whole = MAX_SENT;
  char *all = malloc(whole + 1);
  demand(all != NULL, "memory");
  for (size_t at = 0; at < whole; at += n) memcpy(all + at, last, whole - at < n ? whole - at : n);
  send_bytes(x, all, whole);
  free(all);
}

static void end_connection(exchange *x, int how) {
  if (how == BY_SILENCE) return;
  x->ended = x->ended || how == BY_END;
  x->reset = x->reset || how == BY_RESET;
  if (how == BY_END) wire_end();
  if (how == BY_RESET) wire_reset();
}

/* ---- the program ---- */

static void forget(exchange *x) {
  x->transfer = NULL;
  x->disturbed = true;
}

static void close_transfer(exchange *x) {
  if (x->transfer == NULL) return;
  bool was_whole = x->last == TRANSFER_END;
  transfer_close(x->transfer);
  x->disturbed = true;
  demand(transfer_is_over(x->transfer), "closed is done");
  demand(was_whole || transfer_failure_of(x->transfer)->class != FAILURE_NONE || x->unfinished > 0,
         "closed before its end is a failure");
  x->last = TRANSFER_WAIT;
  read_all(x);
}

static void next_request(exchange *x) {
  if (x->loop == NULL) return;
  transfer_release(x->transfer == NULL ? transfer_new(x->loop) : x->transfer);
  forget(x);
  x->first = false;
  x->unfinished = 0;
  start(x);
}

static void operate(exchange *x, char operation) {
  switch (operation) {
  case 's': step(x); break;
  case 'p': pull(x); break;
  case 'P': read_all(x); break;
  case 'c': end_connection(x, BY_END); break;
  case 'r': end_connection(x, BY_RESET); break;
  case 'x': close_transfer(x); break;
  case 'f':
    transfer_free(x->transfer);
    forget(x);
    break;
  case 'R':
    if (x->transfer != NULL) transfer_release(x->transfer);
    forget(x);
    break;
  case 'L':
    loop_free(x->loop);
    x->loop = NULL;
    x->disturbed = true;
    break;
  case 'n': next_request(x); break;
  case (char)OPERATION: send_bytes(x, "\xFF", 1); break;
  default: break;
  }
}

static void pass(exchange *x, uint8_t ticks) {
  for (; ticks > 0 && x->loop != NULL; ticks--) {
    wire_pass(TICK);
    step(x);
  }
}

/* Carries out the operation at `at`; returns where the script goes on. */
static const uint8_t *run_operation(exchange *x, const uint8_t *at, const uint8_t *end) {
  uint8_t first = at + 1 < end ? at[1] : 0, second = at + 2 < end ? at[2] : 0;
  if (*at == '*') {
    repeat(x, first, second);
    return end - at > 3 ? at + 3 : end;
  }
  if (*at == 't') {
    pass(x, first % 64);
    return end - at > 2 ? at + 2 : end;
  }
  operate(x, (char)*at);
  return at + 1;
}

static void run_script(exchange *x, const uint8_t *at, const uint8_t *end) {
  while (at < end) {
    const uint8_t *mark = memchr(at, OPERATION, (size_t)(end - at));
    const uint8_t *stop = mark == NULL ? end : mark;
    if (stop > at) send_bytes(x, (const char *)at, (size_t)(stop - at));
    at = stop + 1 < end ? run_operation(x, stop + 1, end) : end;
  }
}

/* ---- ends ---- */

/* The server has said its last: the exchange ends now, or when its clocks run out. */
static void settle(exchange *x) {
  int steps = 0;
  while (x->transfer != NULL && x->loop != NULL && !transfer_is_over(x->transfer)) {
    demand(++steps < MAX_STEPS, "the exchange ends");
    if (steps > 4) wire_pass(TICK);
    step(x);
    if (x->set.flags & LATE) read_all(x);
  }
  if (x->transfer == NULL) return;
  read_all(x);
  transfer_status end = x->last;
  demand(end == TRANSFER_END || end == TRANSFER_FAILED, "what has ended says so");
  read_all(x);
}

/* What the standard's reading of the events is, for a body that is known. */
static bool same_events(const exchange *x, const buffer *body, bool whole) {
  sse p;
  sse_event e;
  exchange wanted = {.options = x->options};
  size_t max = x->options.max_event_bytes;
  sse_init(&p, max == 0 ? MAX_SENT : max);
  p.lenient = true;
  sse_feed(&p, buffer_bytes(body), buffer_length(body));
  while (sse_next(&p, &e)) note_event(&wanted, &e);
  if (whole) sse_end_line(&p);
  while (sse_next(&p, &e)) note_event(&wanted, &e);
  if (whole && sse_finish(&p, &e)) note_event(&wanted, &e);
  size_t n = buffer_length(&x->events), all = buffer_length(&wanted.events);
  bool same = n <= all && (!whole || n == all) &&
              memcmp(buffer_bytes(&x->events), buffer_bytes(&wanted.events), n) == 0;
  buffer_free(&wanted.events);
  sse_free(&p);
  return same;
}

static bool has_large_event(const exchange *x, const buffer *body) {
  sse p;
  if (x->options.max_event_bytes == 0) return false;
  sse_init(&p, x->options.max_event_bytes);
  p.lenient = true;
  bool large = sse_feed(&p, buffer_bytes(body), buffer_length(body)) == SSE_TOO_LARGE;
  sse_free(&p);
  return large;
}

/* Reasons to fail that do not lie in what is missing from an answer. */
static bool may_fail(const exchange *x, const answer *a, failure_class class) {
  size_t max = x->options.max_body_bytes;
  bool timeout = class == FAILURE_CONNECT_TIMEOUT || class == FAILURE_SILENCE_TIMEOUT ||
                 class == FAILURE_EVENT_TIMEOUT || class == FAILURE_TOTAL_TIMEOUT;
  return timeout || (class == FAILURE_LOST && x->reset) || class == FAILURE_HEAD_TOO_LARGE ||
         (class == FAILURE_EVENT_TOO_LARGE && has_large_event(x, &a->body)) ||
         (class == FAILURE_BODY_TOO_LARGE && max != 0 && buffer_length(&a->body) > max);
}

static void compare_whole(const exchange *x, const answer *a, transfer_status status,
                          const buffer *body) {
  failure_class class = transfer_failure_of(x->transfer)->class;
  if (status != TRANSFER_READY) {
    demand(may_fail(x, a, class), "a whole answer fails only for a reason");
    return;
  }
  demand(transfer_http_status(x->transfer) == a->status, "the status is the answer's");
  bool events = transfer_is_event_stream(x->transfer);
  sse_sign sign = sse_recognise(buffer_bytes(&a->body), buffer_length(&a->body), &(size_t){0});
  demand(events ==
             (x->options.stream && a->status < 300 && (a->is_event_stream || sign == SSE_EVENTS)),
         "events are told by their type, or by their bytes");
  if (events) {
    demand(same_events(x, &a->body, true), "the events are the answer's");
    return;
  }
  demand(buffer_length(body) == buffer_length(&a->body) &&
             memcmp(buffer_bytes(body), buffer_bytes(&a->body), buffer_length(body)) == 0,
         "the body is the answer's");
}

static void compare(const exchange *x) {
  answer a;
  const buffer *body;
  if (x->transfer == NULL || x->disturbed || x->lost || !x->first || x->options.http2) return;
  if (wire_connections() != 1) return;
  bool ended = x->ended && !x->reset;
  verdict v =
      answer_read(&a, buffer_bytes(&x->sent), buffer_length(&x->sent), ended, x->set.flags & HEAD);
  transfer_status status = transfer_body(x->transfer, &body);
  if (x->reset && a.closes) v = ANSWER_UNKNOWN; /* it looks like an end when all was read */
  if (v == ANSWER_INCOMPLETE) demand(status == TRANSFER_FAILED, "a truncated answer fails");
  if (v == ANSWER_INCOMPLETE && transfer_is_event_stream(x->transfer))
    demand(same_events(x, &a.body, false), "the events are the answer's first");
  if (v == ANSWER_COMPLETE) compare_whole(x, &a, status, body);
  buffer_free(&a.body);
}

/* What happened is coverage too: libcurl's branches show in what it says. */
static void note_outcome(const exchange *x) {
  if (x->transfer == NULL) return;
  uint32_t hash = 2166136261U;
  for (const char *at = failure_text(transfer_failure_of(x->transfer)); *at != '\0'; at++)
    if (!isdigit((unsigned char)*at)) hash = (hash ^ (uint8_t)*at) * 16777619U;
  count(hash);
  count(hash ^ (uint32_t)transfer_failure_of(x->transfer)->class * 31U);
  count(hash ^ (uint32_t)transfer_http_status(x->transfer) * 7919U);
  count(0x1000U + (uint32_t)wire_connections());
  uint32_t shape = (uint32_t)(x->set.flags & (STREAM | HTTP2 | HEAD | LATE)) << 8;
  count(shape ^ (uint32_t)x->last ^ (uint32_t)x->unfinished << 4 ^ (uint32_t)x->disturbed << 5);
  for (size_t n = buffer_length(&x->events), bit = 0; n > 0; n >>= 1)
    count(0x2000U + (uint32_t)bit++);
}

static void free_all(exchange *x) {
  switch (x->set.end / 3 % 4) {
  case 0:
    transfer_free(x->transfer);
    loop_free(x->loop);
    break;
  case 1:
    loop_free(x->loop);
    transfer_free(x->transfer);
    break;
  case 2:
    if (x->transfer != NULL) transfer_release(x->transfer);
    loop_free(x->loop);
    break;
  default:
    close_transfer(x);
    transfer_free(x->transfer);
    loop_free(x->loop);
  }
  buffer_free(&x->sent);
  buffer_free(&x->events);
}

/* Sockets and what polls them; pipes may be libFuzzer's, to its symbolizer. */
static bool is_ours(const char *number) {
  char name[sizeof "/proc/self/fd/" + 20], target[64] = "";
  snprintf(name, sizeof name, "/proc/self/fd/%.20s", number);
  if (readlink(name, target, sizeof target - 1) < 0) return false;
  return strncmp(target, "socket:", 7) == 0 || strncmp(target, "anon_inode:", 11) == 0;
}

static size_t open_descriptors(void) {
  size_t n = 0;
  const struct dirent *entry;
  DIR *directory = opendir("/proc/self/fd");
  demand(directory != NULL, "/proc");
  while ((entry = readdir(directory)) != NULL) n += is_ours(entry->d_name);
  closedir(directory);
  return n;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  demand(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl");
  descriptors = open_descriptors();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  exchange x = {.first = true};
  if (n < sizeof x.set) return 0;
  memcpy(&x.set, bytes, sizeof x.set);
  wire_open(x.set.flags & REFUSES);
  x.options = options_of(&x.set);
  x.loop = loop_new();
  demand(x.loop != NULL, "a loop");
  start(&x);
  step(&x);
  run_script(&x, bytes + sizeof x.set, bytes + n);
  end_connection(&x, x.set.end % 3);
  settle(&x);
  compare(&x);
  note_outcome(&x);
  free_all(&x);
  wire_close();
  demand(open_descriptors() == descriptors, "no descriptor is left open");
  return 0;
}
