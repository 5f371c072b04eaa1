/* buffer.c: see buffer.h. */
#include "buffer.h"

#include <stdint.h>
#include <string.h>

#include "mem.h"

#define FIRST_CAPACITY ((size_t)64)

/* Moving pays only when it frees at least as much as it moves: so appends stay linear. */
static int slide(buffer *b, size_t n) {
  size_t length = buffer_length(b);
  if (b->bytes == NULL || b->start < length || b->capacity - length < n) return 0;
  memmove(b->bytes, b->bytes + b->start, length);
  b->start = 0;
  b->end = length;
  return 1;
}

/* The first block is as large as what is asked for: often nothing follows. */
static int grow(buffer *b, size_t n) {
  size_t capacity = b->capacity;
  if (n > SIZE_MAX / 2 - b->end) return -1;
  if (capacity == 0) capacity = n < FIRST_CAPACITY ? FIRST_CAPACITY : n;
  while (capacity < b->end + n) capacity *= 2;
  char *bytes = mem_resize(b->bytes, capacity);
  if (bytes == NULL) return -1;
  b->bytes = bytes;
  b->capacity = capacity;
  return 0;
}

int buffer_make_room(buffer *b, size_t n) {
  return slide(b, n) ? 0 : grow(b, n);
}

int buffer_append(buffer *b, const char *bytes, size_t n) {
  if (n == 0) return 0;
  if (buffer_reserve(b, n) != 0) return -1;
  memcpy(b->bytes + b->end, bytes, n);
  b->end += n;
  return 0;
}

void buffer_free(buffer *b) {
  mem_free(b->bytes);
  memset(b, 0, sizeof *b);
}
