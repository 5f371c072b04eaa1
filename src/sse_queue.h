/* sse_queue.h: events that were read and wait to be pulled: sse.h's other half.
 *
 * An event is copied behind a small record of its lengths, so that a thousand
 * small ones cost one block. A large one keeps the block that it was read into.
 * Leans on buffer.h; knows nothing of lines and fields.
 */
#ifndef LLMG_SSE_QUEUE_H
#define LLMG_SSE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
LLMG_HIDDEN_BEGIN

#ifndef SSE_LARGE_BYTES                     /* a fuzz target has a smaller one */
#define SSE_LARGE_BYTES ((size_t)64 * 1024) /* data from here on is moved rather than copied */
#endif

/* Texts are not terminated. Those that were pulled lie one behind the other, in the order of the
 * fields. */
typedef struct sse_event {
  const char *data;
  size_t data_length;
  const char *type; /* length 0 stands for "message" */
  size_t type_length;
  const char *id; /* length 0: the server named none */
  size_t id_length;
} sse_event;

/* A queue of zero bytes is a valid empty one. */
typedef struct sse_queue {
  buffer events;      /* each behind a record of its lengths */
  size_t taken;       /* bytes of them that the last pull handed out */
  buffer large;       /* a `buffer` for each large event, whose texts it has */
  size_t large_bytes; /* in these */
  buffer handed;      /* the large event that was handed out last */
} sse_queue;

/* Events of `n` bytes in all may be added soon: an empty queue makes room for them at once, if
 * there is memory. */
void sse_queue_expect(sse_queue *q, size_t n);

/* Adds a copy of an event. Returns 0, or -1 (and changes nothing) when there is no memory. */
int sse_queue_add(sse_queue *q, const sse_event *event);

/* Adds an event whose data is what `data` has, which is empty afterwards; the other texts are
 * copied. Returns 0 or -1. */
int sse_queue_add_large(sse_queue *q, buffer *data, const buffer *type, const buffer *id);

/* Pulls the next event, whose texts stay valid until the next call. Returns false when there is
 * none. */
bool sse_queue_next(sse_queue *q, sse_event *event);

/* Nobody pulls for a while: the texts that were pulled last are not needed any more, and an empty
 * queue keeps no block for events that are yet to come. */
void sse_queue_rest(sse_queue *q);

/* Looks at the event that sse_queue_next would pull. Returns false when there is none, and for a
 * large one. */
bool sse_queue_peek(const sse_queue *q, sse_event *event);

/* Whether nothing waits, and nothing is left from the last pull. */
static inline bool sse_queue_is_idle(const sse_queue *q) {
  return q->events.end == 0 && q->handed.bytes == NULL;
}

/* How many bytes wait to be pulled. */
static inline size_t sse_queue_bytes(const sse_queue *q) {
  return buffer_length(&q->events) - q->taken + q->large_bytes;
}

/* Where the queue ends, for sse_queue_take_back. */
static inline size_t sse_queue_end(const sse_queue *q) {
  return buffer_length(&q->events);
}

/* Takes the event that was added when the queue ended at `end` off again, and hands it over: its
 * texts stay valid until the next is added or pulled. Returns false when none was added. */
bool sse_queue_take_back(sse_queue *q, size_t end, sse_event *event);

/* Frees what it holds; it is empty afterwards. */
void sse_queue_free(sse_queue *q);

LLMG_HIDDEN_END
#endif
