/* json_stream.h: the grammar of JSON (json.h) for a text that comes in pieces.
 *
 *   json_stream s = {0};
 *   while ((step = json_stream_next(&s, &at, end)) != JSON_STEP_MORE) use(step);   for each piece
 *   step = json_stream_end(&s);                                                    after the last
 *   json_stream_free(&s);
 *
 * A step tells what the bytes have settled: a container that opens or closes, a
 * key, a value. A number is settled by what follows it. A text that is still
 * open can be looked at (json_stream_open_text). However a text is cut, the
 * steps are the same, and nothing is read twice: time is linear, memory is what
 * the token being read needs. The language is json_parse's; half a surrogate
 * pair becomes U+FFFD. Leans on json.h and buffer.h.
 */
#ifndef LLMG_JSON_STREAM_H
#define LLMG_JSON_STREAM_H

#include "buffer.h"
#include "json.h"
LLMG_HIDDEN_BEGIN

typedef enum json_step {
  JSON_STEP_MORE, /* all bytes are read */
  JSON_STEP_LIST, /* opens */
  JSON_STEP_OBJECT,
  JSON_STEP_CLOSE, /* the innermost container */
  JSON_STEP_KEY,   /* its bytes are in `token` until the next call */
  JSON_STEP_TEXT,  /* the same */
  JSON_STEP_NUMBER,
  JSON_STEP_NULL,
  JSON_STEP_FALSE,
  JSON_STEP_TRUE,
  JSON_STEP_FAILED /* see fault; sticks */
} json_step;

/* Zero bytes are a valid new one. */
typedef struct json_stream {
  int state;    /* what may come next: see json_stream.c */
  buffer token; /* the text (decoded), number or word being read, or read last */
  json_number number;
  char escape[5];   /* an escape being read, without its backslash */
  unsigned escaped; /* how many bytes of it are here */
  unsigned high;    /* the first half of a surrogate pair, whose second may come; 0 for none */
  bool is_key;
  int bom;                   /* how many bytes of it have come */
  unsigned depth;            /* how many containers are open */
  const char *fault;         /* what is wrong, a constant text; NULL while all is well */
  size_t bytes;              /* read so far; where the fault is */
  char open[JSON_MAX_DEPTH]; /* ']' or '}' for each */
} json_stream;

/* Reads from *at, which it moves, up to the next step. *end must be 0. */
json_step json_stream_next(json_stream *s, const char **at, const char *end);

/* The text has ended. Returns the number that this settled, JSON_STEP_MORE when there was nothing
 * to settle, or JSON_STEP_FAILED when a value or a part of one is missing. */
json_step json_stream_end(json_stream *s);

/* Whether the whole value is here (a number alone is so only after json_stream_end). */
bool json_stream_is_whole(const json_stream *s);

/* Whether a text that is no key is open; then *n is how many bytes of `token` are there for good:
 * no escape and no character is cut (what is no UTF-8 at all counts as it is). */
bool json_stream_open_text(const json_stream *s, size_t *n);

void json_stream_free(json_stream *s);

LLMG_HIDDEN_END
#endif
