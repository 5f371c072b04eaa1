/* sse.c: see sse.h.
 *
 * Bytes become lines (take_lines), lines become fields (read_line), fields
 * become an event (dispatch), which waits in the queue (sse_queue.h).
 */
#include "sse.h"

#include <string.h>

#define MAX_RETRY_DIGITS 15
#define MAX_ID_BYTES     1024

typedef struct field {
  const char *name;
  int (*set)(sse *p, const char *value, size_t n);
} field;

static const char bom[3] = {'\xEF', '\xBB', '\xBF'};

void sse_init(sse *p, size_t max_event_bytes) {
  memset(p, 0, sizeof *p);
  p->max_event_bytes = max_event_bytes == 0 ? SSE_MOST_BYTES : max_event_bytes;
  p->retry = -1;
}

/* ---- events ---- */

static size_t data_length(const sse *p) {
  return p->slice == NULL ? buffer_length(&p->data) : p->slice_length;
}

static const char *data_bytes(const sse *p) {
  return p->slice == NULL ? buffer_bytes(&p->data) : p->slice;
}

/* The data outlives the bytes it came in. */
static int keep_slice(sse *p) {
  const char *slice = p->slice;
  p->slice = NULL;
  if (slice == NULL) return SSE_OK;
  return buffer_append(&p->data, slice, p->slice_length) == 0 ? SSE_OK : SSE_NO_MEMORY;
}

static int enqueue(sse *p) {
  sse_event event = {data_bytes(p),           data_length(p),       buffer_bytes(&p->type),
                     buffer_length(&p->type), buffer_bytes(&p->id), buffer_length(&p->id)};
  int status = 0;
  p->said += event.data_length;
  if (event.data_length < SSE_LARGE_BYTES)
    status = sse_queue_add(&p->queue, &event);
  else if (keep_slice(p) == SSE_OK)
    status = sse_queue_add_large(&p->queue, &p->data, &p->type, &p->id);
  else
    status = -1;
  return status == 0 ? SSE_OK : SSE_NO_MEMORY;
}

/* A blank line: without a data field there is no event, and its type is forgotten too. */
static int dispatch(sse *p) {
  int status = p->has_data ? enqueue(p) : SSE_OK;
  if (buffer_length(&p->data) > 0) buffer_clear(&p->data);
  if (buffer_length(&p->type) > 0) buffer_clear(&p->type);
  p->slice = NULL;
  p->has_data = p->bare = false;
  return status;
}

/* ---- fields ---- */

static int replace(buffer *b, const char *value, size_t n) {
  buffer_clear(b);
  return buffer_append(b, value, n) == 0 ? SSE_OK : SSE_NO_MEMORY;
}

/* A long line that came in pieces, of which `value` is the end, becomes the data. */
static void take_line(sse *p, const char *value, size_t n) {
  buffer old = p->data;
  p->data = p->line;
  p->data.start = (size_t)(value - p->data.bytes);
  p->data.end = p->data.start + n;
  p->line = old;
}

static int set_first_data(sse *p, const char *value, size_t n) {
  bool is_kept = buffer_length(&p->line) > 0;
  p->has_data = true;
  if (is_kept && n >= SSE_LARGE_BYTES) {
    take_line(p, value, n);
    return SSE_OK;
  }
  if (is_kept) return replace(&p->data, value, n);
  p->slice = value;
  p->slice_length = n;
  return SSE_OK;
}

static int set_data(sse *p, const char *value, size_t n) {
  size_t length = data_length(p);
  if (n + p->has_data > p->max_event_bytes || length > p->max_event_bytes - n - p->has_data)
    return SSE_TOO_LARGE;
  if (!p->has_data) return set_first_data(p, value, n);
  if (keep_slice(p) != SSE_OK || buffer_append(&p->data, "\n", 1) != 0) return SSE_NO_MEMORY;
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
  size_t length = data_length(p);
  bool is_next = p->bare && *line == '{' && length > 0 && data_bytes(p)[length - 1] == '}';
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
  if (n > 6 && memcmp(line, "data: ", 6) == 0 && !p->bare) return set_data(p, line + 6, n - 6);
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
  size_t room = p->max_event_bytes + SSE_NAME_ROOM;
  return n > room || buffer_length(&p->line) > room - n;
}

static int keep(sse *p, const char *bytes, size_t n) {
  if (overflows(p, n)) return SSE_TOO_LARGE;
  return buffer_append(&p->line, bytes, n) == 0 ? SSE_OK : SSE_NO_MEMORY;
}

/* The end of a line, most of which may have come with earlier bytes. */
static inline int end_line(sse *p, const char *bytes, size_t n) {
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

/* Nearly every event: one line of data, and its blank line behind it, among the bytes being fed. */
static bool is_usual(const sse *p, const char *at, const char *eol, const char *end) {
  return end - eol > 1 && eol[0] == '\n' && eol[1] == '\n' && eol - at > 6 &&
         (size_t)(eol - at) < SSE_LARGE_BYTES && memcmp(at, "data: ", 6) == 0 && !p->has_data &&
         !p->bare && buffer_length(&p->type) == 0 && buffer_length(&p->line) == 0;
}

/* It goes into the queue from where it lies. */
static int take_usual(sse *p, const char *data, size_t n, const char *end) {
  sse_event event = {data, n, "", 0, buffer_bytes(&p->id), buffer_length(&p->id)};
  if (n > p->max_event_bytes) return SSE_TOO_LARGE;
  sse_queue_expect(&p->queue, (size_t)(end - data));
  p->said += n;
  return sse_queue_add(&p->queue, &event) == 0 ? SSE_OK : SSE_NO_MEMORY;
}

/* Each of the two searches passes over a byte once: the farther find is kept for later lines. */
static int take_lines(sse *p, const char *at, const char *end) {
  const char *lf = find(at, end, '\n');
  const char *cr = find(at, end, '\r');
  while (at < end) {
    if (lf < at) lf = *at == '\n' ? at : find(at, end, '\n');
    if (cr < at) cr = find(at, end, '\r');
    const char *eol = lf < cr ? lf : cr;
    if (eol == end) return keep(p, at, (size_t)(end - at));
    bool usual = is_usual(p, at, eol, end);
    size_t n = (size_t)(eol - at);
    int status = usual ? take_usual(p, at + 6, n - 6, end) : end_line(p, at, n);
    if (status != SSE_OK) return status;
    at = eol + 1 + usual;
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

static int read_bytes(sse *p, const char *at, const char *end) {
  int status = p->bom < 3 ? skip_bom(p, &at, end) : SSE_OK;
  if (status != SSE_OK || at == end) return status;
  if (p->after_cr && *at == '\n') at++;
  p->after_cr = false;
  status = take_lines(p, at, end);
  return status == SSE_OK ? keep_slice(p) : status;
}

int sse_feed_bytes(sse *p, const char *bytes, size_t n) {
  if (p->failure != SSE_OK || n == 0) return p->failure;
  p->failure = read_bytes(p, bytes, bytes + n);
  p->slice = NULL;
  return p->failure;
}

/* ---- the end ---- */

void sse_end_line(sse *p) {
  if (p->failure == SSE_OK && buffer_length(&p->line) > 0) p->failure = end_line(p, "", 0);
}

/* The unfinished event becomes the last of the queue, and is taken off its end. */
static bool take_unfinished(sse *p, sse_event *event) {
  sse_end_line(p);
  size_t end = sse_queue_end(&p->queue);
  if (p->failure == SSE_OK) p->failure = dispatch(p);
  return sse_queue_take_back(&p->queue, end, event);
}

static void start_anew(sse *p) {
  sse old = *p;
  sse_init(p, old.max_event_bytes);
  p->lenient = old.lenient;
  p->queue = old.queue;
  old.queue = (sse_queue){0};
  sse_free(&old);
}

bool sse_finish(sse *p, sse_event *event) {
  bool found = take_unfinished(p, event);
  start_anew(p);
  return found;
}

void sse_free(sse *p) {
  buffer_free(&p->line);
  buffer_free(&p->data);
  buffer_free(&p->type);
  buffer_free(&p->id);
  sse_queue_free(&p->queue);
}
