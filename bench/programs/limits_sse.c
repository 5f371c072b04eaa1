/* limits_sse.c: the SSE parser of src/ without anything around it, beside a memchr over the same
 * bytes.
 *
 *   limits-sse WORK TIMES SIZE     prints a line (see measure.lua); a unit is a byte
 *
 *   memchr    looks for every line feed in a megabyte of events
 *   parser    parses a megabyte of events in feeds of SIZE bytes
 *   single    parses one event of SIZE bytes in feeds of 16 kB
 *
 * Leans on measure.h and on floor 0 of src/.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/sse.h"
#include "measure.h"

#define EVENT_BYTES 260
#define EVENTS      4096

static char *events_text(void) {
  char *text = malloc(EVENTS * EVENT_BYTES);
  if (text == NULL) exit(1);
  memset(text, 'x', EVENTS * EVENT_BYTES);
  for (char *at = text; at < text + EVENTS * EVENT_BYTES; at += EVENT_BYTES) {
    memcpy(at, "data: ", 6);
    memcpy(at + EVENT_BYTES - 2, "\n\n", 2);
  }
  return text;
}

static char *single_text(size_t n) {
  char *text = malloc(n);
  if (text == NULL || n < 8) exit(1);
  memset(text, 'x', n);
  memcpy(text, "data: ", 6);
  memcpy(text + n - 2, "\n\n", 2);
  return text;
}

static long count_lines(const char *text, size_t n) {
  const char *at = text, *end = text + n;
  long lines = 0;
  while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) at++, lines++;
  return lines;
}

static long parse(const char *text, size_t n, size_t feed) {
  sse parser;
  sse_event event;
  long events = 0;
  sse_init(&parser, 64 << 20);
  for (size_t at = 0; at < n; at += feed) {
    if (sse_feed(&parser, text + at, at + feed < n ? feed : n - at) != SSE_OK) exit(1);
    while (sse_next(&parser, &event)) events++;
  }
  sse_free(&parser);
  return events;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  size_t size = (size_t)atol(argv[3]);
  int is_single = strcmp(argv[1], "single") == 0, is_memchr = strcmp(argv[1], "memchr") == 0;
  size_t n = is_single ? size : EVENTS * EVENT_BYTES;
  char *text = is_single ? single_text(n) : events_text();
  long times = atol(argv[2]), found = 0;
  measure_start();
  for (long i = 0; i < times; i++)
    found += is_memchr ? count_lines(text, n) : parse(text, n, is_single ? 16384 : size);
  measure_finish(times * (long)n);
  printf(" found=%ld\n", found);
  free(text);
  return found == 0;
}
