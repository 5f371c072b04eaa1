/* sse.c: see sse.h.
 *
 * Bytes become lines (take_lines), lines become fields (read_line), fields
 * become an event (dispatch), which waits in the queue behind a small record.
 */
#include "sse.h"

#include <string.h>

#define FIELD_NAME_ROOM  8 /* a line may be longer than its data by "data: " */
#define MAX_RETRY_DIGITS 15
#define MAX_ID_BYTES     1024

typedef struct record {
  size_t data_length, type_length, id_length;
} record;

typedef struct field {
  const char *name;
  int (*set)(sse *p, const char *value, size_t n);
} field;

static const char bom[3] = {'\xEF', '\xBB', '\xBF'};

void sse_init(sse *p, size_t max_event_bytes) {
  memset(p, 0, sizeof *p);
  p->max_event_bytes = max_event_bytes;
  p->retry = -1;
}

/* ---- events ---- */

static int enqueue(sse *p) {
  record r = {buffer_length(&p->data), buffer_length(&p->type), buffer_length(&p->id)};
  size_t size = sizeof r + r.data_length + r.type_length + r.id_length;
  if (buffer_reserve(&p->queue, size) != 0) return SSE_NO_MEMORY;
  buffer_append(&p->queue, (const char *)&r, sizeof r);
  buffer_append(&p->queue, buffer_bytes(&p->data), r.data_length);
  buffer_append(&p->queue, buffer_bytes(&p->type), r.type_length);
  buffer_append(&p->queue, buffer_bytes(&p->id), r.id_length);
  return SSE_OK;
}

/* A blank line: without a data field there is no event, and its type is forgotten too. */
static int dispatch(sse *p) {
  int status = p->has_data ? enqueue(p) : SSE_OK;
  buffer_clear(&p->data);
  buffer_clear(&p->type);
  p->has_data = p->bare = false;
  return status;
}

/* ---- fields ---- */

static int replace(buffer *b, const char *value, size_t n) {
  buffer_clear(b);
  return buffer_append(b, value, n) == 0 ? SSE_OK : SSE_NO_MEMORY;
}

static int set_data(sse *p, const char *value, size_t n) {
  size_t length = buffer_length(&p->data);
  if (n + p->has_data > p->max_event_bytes || length > p->max_event_bytes - n - p->has_data)
    return SSE_TOO_LARGE;
  if (p->has_data && buffer_append(&p->data, "\n", 1) != 0) return SSE_NO_MEMORY;
  p->has_data = true;
  return buffer_append(&p->data, value, n) == 0 ? SSE_OK : SSE_NO_MEMORY;
}

static int set_type(sse *p, const char *value, size_t n) {
  return replace(&p->type, value, n);
}

static int set_id(sse *p, const char *value, size_t n) {
  if (n > MAX_ID_BYTES || (n > 0 && memchr(value, '\0', n) != NULL)) return SSE_OK;
  return replace(&p->id, value, n);
}

static int set_retry(sse *p, const char *value, size_t n) {
  int64_t ms = 0;
  if (n == 0 || n > MAX_RETRY_DIGITS) return SSE_OK;
  for (size_t i = 0; i < n; i++) {
    if (value[i] < '0' || value[i] > '9') return SSE_OK;
    ms = ms * 10 + (value[i] - '0');
  }
  p->retry = ms;
  return SSE_OK;
}

static const field fields[] = {
    {"data", set_data}, {"event", set_type}, {"id", set_id}, {"retry", set_retry}};

/* ---- lines ---- */

static int set_error(sse *p, const char *value, size_t n) {
  int status = set_type(p, "error", 5);
  return status == SSE_OK ? set_data(p, value, n) : status;
}

/* A text of JSON may have several lines, and may be followed by another one. */
static int add_bare(sse *p, const char *line, size_t n) {
  size_t length = buffer_length(&p->data);
  bool is_next = p->bare && *line == '{' && length > 0 && buffer_bytes(&p->data)[length - 1] == '}';
  int status = is_next ? dispatch(p) : SSE_OK;
  p->bare = true;
  return status == SSE_OK ? set_data(p, line, n) : status;
}

/* A line whose field nobody knows. */
static int read_stray(sse *p, const char *line, size_t n, size_t name_length, const char *value) {
  if (!p->lenient || name_length == 0) return SSE_OK;
  if (name_length == 5 && memcmp(line, "error", 5) == 0 && !p->bare)
    return set_error(p, value, (size_t)(line + n - value));
  if (p->bare || (!p->has_data && (*line == '{' || *line == '['))) return add_bare(p, line, n);
  return SSE_OK;
}

static int set_field(sse *p, const field *f, const char *value, size_t n) {
  int status = p->bare ? dispatch(p) : SSE_OK;
  return status == SSE_OK ? f->set(p, value, n) : status;
}

/* A comment (a line that starts with a colon) is a field whose empty name nobody knows. */
static int read_line(sse *p, const char *line, size_t n) {
  if (n == 0) return dispatch(p);
  const char *colon = memchr(line, ':', n);
  size_t name_length = colon == NULL ? n : (size_t)(colon - line);
  const char *value = colon == NULL ? line + n : colon + 1;
  if (value < line + n && *value == ' ') value++;
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (strlen(fields[i].name) == name_length && memcmp(fields[i].name, line, name_length) == 0)
      return set_field(p, &fields[i], value, (size_t)(line + n - value));
  return read_stray(p, line, n, name_length, value);
}

/* Whether `n` more bytes make the line too long: asked of every line, so that the answer does not
 * depend on how the network cut it. */
static bool overflows(const sse *p, size_t n) {
  size_t room = p->max_event_bytes + FIELD_NAME_ROOM;
  return n > room || buffer_length(&p->line) > room - n;
}

static int keep(sse *p, const char *bytes, size_t n) {
  if (overflows(p, n)) return SSE_TOO_LARGE;
  return buffer_append(&p->line, bytes, n) == 0 ? SSE_OK : SSE_NO_MEMORY;
}

/* The end of a line, most of which may have come with earlier bytes. */
static int end_line(sse *p, const char *bytes, size_t n) {
  if (buffer_length(&p->line) == 0) return overflows(p, n) ? SSE_TOO_LARGE : read_line(p, bytes, n);
  int status = keep(p, bytes, n);
  if (status == SSE_OK) status = read_line(p, buffer_bytes(&p->line), buffer_length(&p->line));
  buffer_clear(&p->line);
  return status;
}

static const char *find(const char *at, const char *end, int byte) {
  const char *found = memchr(at, byte, (size_t)(end - at));
  return found == NULL ? end : found;
}

/* Each of the two searches passes over a byte once: the farther find is kept for later lines. */
static int take_lines(sse *p, const char *at, const char *end) {
  const char *lf = find(at, end, '\n');
  const char *cr = find(at, end, '\r');
  while (at < end) {
    if (lf < at) lf = find(at, end, '\n');
    if (cr < at) cr = find(at, end, '\r');
    const char *eol = lf < cr ? lf : cr;
    if (eol == end) return keep(p, at, (size_t)(end - at));
    int status = end_line(p, at, (size_t)(eol - at));
    if (status != SSE_OK) return status;
    at = eol + 1;
    if (*eol != '\r') continue;
    p->after_cr = at == end;
    if (at < end && *at == '\n') at++;
  }
  return SSE_OK;
}

/* Passes over a BOM. What only began like one belongs to the first line. */
static int skip_bom(sse *p, const char **at, const char *end) {
  while (p->bom < 3 && *at < end && **at == bom[p->bom]) {
    p->bom++;
    (*at)++;
  }
  if (p->bom == 3 || *at == end) return SSE_OK;
  int matched = p->bom;
  p->bom = 3;
  return keep(p, bom, (size_t)matched);
}

int sse_feed(sse *p, const char *bytes, size_t n) {
  const char *at = bytes, *end = bytes + n;
  if (p->failure != SSE_OK || n == 0) return p->failure;
  if (p->bom < 3) p->failure = skip_bom(p, &at, end);
  if (p->failure != SSE_OK || at == end) return p->failure;
  if (p->after_cr && *at == '\n') at++;
  p->after_cr = false;
  p->failure = take_lines(p, at, end);
  return p->failure;
}

/* ---- pulling ---- */

static size_t read_record(const char *at, sse_event *event) {
  record r;
  memcpy(&r, at, sizeof r);
  event->data = at + sizeof r;
  event->data_length = r.data_length;
  event->type = event->data + r.data_length;
  event->type_length = r.type_length;
  event->id = event->type + r.type_length;
  event->id_length = r.id_length;
  return sizeof r + r.data_length + r.type_length + r.id_length;
}

bool sse_next(sse *p, sse_event *event) {
  buffer_consume(&p->queue, p->taken);
  p->taken = 0;
  if (buffer_length(&p->queue) == 0) return false;
  p->taken = read_record(buffer_bytes(&p->queue), event);
  return true;
}

size_t sse_queued(const sse *p) {
  return buffer_length(&p->queue) - p->taken;
}

/* The unfinished event becomes the last of the queue, is read there and taken off its end; its
 * bytes stay where they are until the queue next grows. */
static bool take_unfinished(sse *p, sse_event *event) {
  if (p->failure == SSE_OK && buffer_length(&p->line) > 0) p->failure = end_line(p, "", 0);
  size_t before = buffer_length(&p->queue);
  if (p->failure == SSE_OK) p->failure = dispatch(p);
  if (buffer_length(&p->queue) == before) return false;
  p->queue.end = p->queue.start + before;
  read_record(p->queue.bytes + p->queue.end, event);
  return true;
}

static void start_anew(sse *p) {
  sse old = *p;
  sse_init(p, old.max_event_bytes);
  p->lenient = old.lenient;
  p->queue = old.queue;
  p->taken = old.taken;
  memset(&old.queue, 0, sizeof old.queue);
  sse_free(&old);
}

bool sse_finish(sse *p, sse_event *event) {
  bool found = take_unfinished(p, event);
  start_anew(p);
  return found;
}

/* ---- signs ---- */

static const char *const beginnings[] = {":", "data:", "event:", "id:", "retry:", "error:"};

static sse_sign begins_with(const char *bytes, size_t n, const char *wanted) {
  size_t length = strlen(wanted);
  if (memcmp(bytes, wanted, n < length ? n : length) != 0) return SSE_NO_EVENTS;
  return n < length ? SSE_UNSURE : SSE_EVENTS;
}

sse_sign sse_recognise(const char *bytes, size_t n) {
  const char *at = bytes, *end = bytes + n;
  sse_sign sign = SSE_NO_EVENTS;
  if (n < sizeof bom && memcmp(at, bom, n) == 0) return SSE_UNSURE;
  if (n >= sizeof bom && memcmp(at, bom, sizeof bom) == 0) at += sizeof bom;
  while (at < end && (*at == '\n' || *at == '\r')) at++;
  if (at == end) return SSE_UNSURE;
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings && sign != SSE_EVENTS; i++) {
    sse_sign other = begins_with(at, (size_t)(end - at), beginnings[i]);
    if (other != SSE_NO_EVENTS) sign = other;
  }
  return sign;
}

void sse_free(sse *p) {
  buffer_free(&p->line);
  buffer_free(&p->data);
  buffer_free(&p->type);
  buffer_free(&p->id);
  buffer_free(&p->queue);
  p->taken = 0;
}
