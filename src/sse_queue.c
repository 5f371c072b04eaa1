/* sse_queue.c: see sse_queue.h. */
#include "sse_queue.h"

#include <string.h>

#define MOST_EXPECTED ((size_t)8 * 1024)

/* Without padding: it is copied as it is. */
typedef struct record {
  size_t data_length, type_length, id_length;
  size_t is_large; /* its texts lie elsewhere, in a buffer of their own */
} record;

static char *put(char *at, const char *bytes, size_t n) {
  if (n > 0) memcpy(at, bytes, n);
  return at + n;
}

void sse_queue_expect(sse_queue *q, size_t n) {
  size_t most = n < MOST_EXPECTED ? n : MOST_EXPECTED;
  if (q->events.bytes == NULL) (void)buffer_reserve(&q->events, most + most / 4);
}

int sse_queue_add(sse_queue *q, const sse_event *event) {
  record r = {event->data_length, event->type_length, event->id_length, false};
  size_t size = sizeof r + r.data_length + r.type_length + r.id_length;
  if (buffer_reserve(&q->events, size) != 0) return -1;
  char *at = q->events.bytes + q->events.end;
  memcpy(at, &r, sizeof r);
  at = put(at + sizeof r, event->data, r.data_length);
  at = put(at, event->type, r.type_length);
  put(at, event->id, r.id_length);
  q->events.end += size;
  return 0;
}

int sse_queue_add_large(sse_queue *q, buffer *data, const buffer *type, const buffer *id) {
  record r = {buffer_length(data), buffer_length(type), buffer_length(id), true};
  if (buffer_reserve(&q->events, sizeof r) != 0 || buffer_reserve(&q->large, sizeof *data) != 0 ||
      buffer_append(data, buffer_bytes(type), r.type_length) != 0 ||
      buffer_append(data, buffer_bytes(id), r.id_length) != 0)
    return -1;
  buffer_append(&q->events, (const char *)&r, sizeof r);
  buffer_append(&q->large, (const char *)data, sizeof *data);
  q->large_bytes += buffer_length(data);
  *data = (buffer){0};
  return 0;
}

static void point_to(sse_event *event, const char *texts, record r) {
  event->data = texts;
  event->data_length = r.data_length;
  event->type = event->data + r.data_length;
  event->type_length = r.type_length;
  event->id = event->type + r.type_length;
  event->id_length = r.id_length;
}

/* The large event at `at` of those that wait is handed out. */
static const char *hand_over(sse_queue *q, const char *at) {
  buffer_free(&q->handed);
  memcpy(&q->handed, at, sizeof q->handed);
  q->large_bytes -= buffer_length(&q->handed);
  return buffer_bytes(&q->handed);
}

static void forget_handed(sse_queue *q) {
  if (q->handed.bytes != NULL) buffer_free(&q->handed);
  if (q->taken > 0) buffer_consume(&q->events, q->taken);
  q->taken = 0;
}

/* Of a thousand streams nearly all wait. */
void sse_queue_rest(sse_queue *q) {
  forget_handed(q);
  if (buffer_length(&q->events) == 0) buffer_free(&q->events);
}

bool sse_queue_next(sse_queue *q, sse_event *event) {
  record r;
  forget_handed(q);
  if (buffer_length(&q->events) == 0) return false;
  const char *at = buffer_bytes(&q->events);
  memcpy(&r, at, sizeof r);
  q->taken = sizeof r;
  if (r.is_large) {
    point_to(event, hand_over(q, buffer_bytes(&q->large)), r);
    buffer_consume(&q->large, sizeof(buffer));
    return true;
  }
  q->taken += r.data_length + r.type_length + r.id_length;
  point_to(event, at + sizeof r, r);
  return true;
}

bool sse_queue_peek(const sse_queue *q, sse_event *event) {
  record r;
  if (buffer_length(&q->events) == q->taken) return false;
  const char *at = buffer_bytes(&q->events) + q->taken;
  memcpy(&r, at, sizeof r);
  if (r.is_large) return false;
  point_to(event, at + sizeof r, r);
  return true;
}

bool sse_queue_take_back(sse_queue *q, size_t end, sse_event *event) {
  record r;
  if (buffer_length(&q->events) == end) return false;
  q->events.end = q->events.start + end;
  const char *at = q->events.bytes + q->events.end;
  memcpy(&r, at, sizeof r);
  if (!r.is_large) {
    point_to(event, at + sizeof r, r);
    return true;
  }
  q->large.end -= sizeof(buffer);
  point_to(event, hand_over(q, q->large.bytes + q->large.end), r);
  return true;
}

void sse_queue_free(sse_queue *q) {
  buffer block;
  for (; buffer_length(&q->large) > 0; buffer_consume(&q->large, sizeof block)) {
    memcpy(&block, buffer_bytes(&q->large), sizeof block);
    buffer_free(&block);
  }
  buffer_free(&q->large);
  buffer_free(&q->handed);
  buffer_free(&q->events);
  q->large_bytes = q->taken = 0;
}
