/* sse.h: the parser of server-sent events (WHATWG HTML, "Server-sent events",
 * section "Interpreting an event stream").
 *
 * Feed it bytes in whatever pieces the network delivers, then pull events:
 *
 *   sse parser;
 *   sse_init(&parser, 16 << 20);
 *   sse_feed(&parser, bytes, n);
 *   while (sse_next(&parser, &event)) use(event.data, event.data_length);
 *   sse_free(&parser);
 *
 * Lines end with LF, CR or CRLF; a BOM may open the stream; comments and
 * unknown fields are ignored. Time is linear in the bytes fed, however they
 * are split. Memory is bounded by max_event_bytes for the event being read,
 * plus the events not pulled yet; an id of more than 1 KiB is ignored, for each
 * event that waits has a copy. Leans on buffer.h; knows neither HTTP nor
 * JSON nor Lua.
 *
 * Servers that fail write other things than events. A lenient parser takes two
 * of them for events: lines of JSON without a field's name, and a field called
 * "error" (its event's type is "error").
 */
#ifndef LLMG_SSE_H
#define LLMG_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "sse_queue.h"
LLMG_HIDDEN_BEGIN

enum {
  SSE_OK = 0,
  SSE_NO_MEMORY = -1,
  SSE_TOO_LARGE = -2 /* an event, or a line, over max_event_bytes */
};

#define SSE_NAME_ROOM 8 /* a line may be longer than its data by "data: " */

typedef struct sse {
  size_t max_event_bytes;
  int failure;   /* SSE_OK, or what every later feed returns */
  int bom;       /* how many bytes of the BOM have matched; 3 once that is settled */
  bool after_cr; /* the last line ended with CR: an LF that follows belongs to it */
  bool has_data; /* the event being read has a data field, perhaps an empty one */
  bool lenient;  /* see above; to be set after sse_init */
  bool bare;     /* the event being read is lines of JSON */
  int64_t retry; /* milliseconds; -1 when the server named none */
  buffer line;   /* a line whose end has not arrived */
  buffer data;   /* of the event being read: data, each line but the last with its LF */
  buffer type;   /* its event field */
  buffer id;     /* the last id field; outlives its event */
  /* Data of one line that lies among the bytes being fed stays there as long as they do; `data` is
   * empty then. */
  const char *slice; /* NULL for none */
  size_t slice_length;
  sse_queue queue; /* finished events */
  size_t said;     /* bytes of data in all events so far */
} sse;

/* The largest max_event_bytes, so that sums of sizes hold. */
#define SSE_MOST_BYTES ((size_t)-1 / 16)

/* Makes an empty parser. Events whose data is longer than `max_event_bytes` are refused; 0 stands
 * for no limit. */
void sse_init(sse *p, size_t max_event_bytes);

/* For sse_feed: one byte within a line for which there is room, which is what a server that sends
 * single bytes costs; and all other bytes. */
static inline bool sse_take_byte(sse *p, char byte) {
  size_t length = buffer_length(&p->line);
  if (length == 0 || byte == '\n' || byte == '\r' || p->failure != SSE_OK) return false;
  if (p->line.end == p->line.capacity || length >= p->max_event_bytes + SSE_NAME_ROOM) return false;
  p->line.bytes[p->line.end++] = byte;
  return true;
}

int sse_feed_bytes(sse *p, const char *bytes, size_t n);

/* Reads `n` bytes. Returns SSE_OK or a failure, which sticks; events finished before it can still
 * be pulled. */
static inline int sse_feed(sse *p, const char *bytes, size_t n) {
  return n == 1 && sse_take_byte(p, *bytes) ? SSE_OK : sse_feed_bytes(p, bytes, n);
}

/* Pulls the next finished event, whose texts stay valid until the next call on the parser. Returns
 * false when there is none. */
static inline bool sse_next(sse *p, sse_event *event) {
  return !sse_queue_is_idle(&p->queue) && sse_queue_next(&p->queue, event);
}

/* Looks at the event that the next sse_next would pull. Returns false when there is none, and for a
 * large one. */
static inline bool sse_peek(const sse *p, sse_event *event) {
  return sse_queue_peek(&p->queue, event);
}

/* Nobody pulls for a while: the texts that were pulled last are not needed any more, and no block
 * is kept for events that are yet to come. */
static inline void sse_rest(sse *p) {
  if (p->queue.events.bytes != NULL || p->queue.handed.bytes != NULL) sse_queue_rest(&p->queue);
}

/* How many bytes of finished events wait to be pulled. */
static inline size_t sse_queued(const sse *p) {
  return sse_queue_bytes(&p->queue);
}

/* The stream has ended: what was fed last is a whole line, though its end never came. In the
 * lenient mode that may finish an event, which is to be pulled before sse_finish is called. */
void sse_end_line(sse *p);

/* The stream has ended. Hands over the event that lacks only its blank line, if there is one, and
 * starts anew: last id, retry, BOM and failure are forgotten; finished events stay to be pulled.
 * Returns whether there was one (false too when there is no memory for it). */
bool sse_finish(sse *p, sse_event *event);

typedef enum sse_sign { SSE_NO_EVENTS, SSE_EVENTS, SSE_UNSURE } sse_sign;

/* Whether a body that begins with these bytes is an event stream, whatever its type says;
 * SSE_UNSURE while more bytes could tell. *passed, 0 at first, is how many of them need not be
 * looked at again. */
sse_sign sse_recognise(const char *bytes, size_t n, size_t *passed);

/* Frees what the parser holds. It may be initialised again. */
void sse_free(sse *p);

LLMG_HIDDEN_END
#endif
