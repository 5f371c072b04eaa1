/* buffer.h: bytes appended at the end, taken from the front.
 *
 * What the network delivers waits here until somebody reads it. A buffer of
 * zero bytes (`buffer b = {0}`) is a valid empty one. Leans on mem.h only.
 */
#ifndef LLMG_BUFFER_H
#define LLMG_BUFFER_H

#include <stddef.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

#define BUFFER_KEPT ((size_t)64 * 1024) /* a larger block is not kept by an empty buffer */

typedef struct buffer {
  char *bytes;     /* the block, owned by the buffer */
  size_t start;    /* where the unread bytes begin */
  size_t end;      /* where they end */
  size_t capacity; /* the size of the block */
} buffer;

/* How many bytes are unread. */
static inline size_t buffer_length(const buffer *b) {
  return b->end - b->start;
}

/* The unread bytes; valid until the next call that changes the buffer. */
static inline const char *buffer_bytes(const buffer *b) {
  return b->bytes == NULL ? "" : b->bytes + b->start;
}

/* For buffer_reserve, once the block has no room. */
int buffer_make_room(buffer *b, size_t n);

/* Makes room: appends of `n` bytes in all will not fail before the buffer is next consumed. Returns
 * 0, or -1 when there is no memory. */
static inline int buffer_reserve(buffer *b, size_t n) {
  return b->capacity - b->end >= n ? 0 : buffer_make_room(b, n);
}

/* Copies `n` bytes to the end. Returns 0, or -1 (and changes nothing) when there is no memory.
 * Any number of appends costs time linear in the bytes. */
int buffer_append(buffer *b, const char *bytes, size_t n);

/* Frees the block; the buffer is empty and may be used again. */
void buffer_free(buffer *b);

/* Drops all unread bytes. */
static inline void buffer_clear(buffer *b) {
  b->start = b->end = 0;
  if (b->capacity > BUFFER_KEPT) buffer_free(b);
}

/* Drops `n` unread bytes (at most buffer_length) from the front. An emptied buffer keeps its block
 * for the next bytes, unless the block is large. */
static inline void buffer_consume(buffer *b, size_t n) {
  b->start += n;
  if (b->start == b->end) buffer_clear(b);
}

LLMG_HIDDEN_END
#endif
