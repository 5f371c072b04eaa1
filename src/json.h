/* json.h: the grammar of JSON (RFC 8259): a text becomes a tape of tokens.
 *
 *   json_tape tape = {0};
 *   if (json_parse(&tape, text, n) != JSON_OK) report(tape.fault, tape.fault_at);
 *   for (size_t i = 0; i < tape.count; i++) use(tape.tokens[i]);
 *   json_tape_free(&tape);
 *
 * A tape is read only once the whole text is known to be JSON, and each list
 * and object says there how much it holds, so that whoever builds values from
 * it needs no second look and no table that grows. Time is linear in the text,
 * memory at most 4 bytes for each of its bytes (8 while the tape grows).
 *
 * What is read beyond the RFC: a byte order mark, raw control characters and
 * bytes that are no UTF-8 in a text, and NaN, Infinity and -Infinity. Half of a
 * surrogate pair is no fault (see json_unescape). What is not: a NUL byte, more
 * than JSON_MAX_DEPTH levels, JSON_MAX_BYTES and more.
 *
 * Leans on mem.h only; knows neither Lua nor HTTP, and no locale. The same text
 * in pieces is json_stream.h's.
 */
#ifndef LLMG_JSON_H
#define LLMG_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

#define JSON_MAX_DEPTH 1000

/* A token: its kind in the lowest bits, then a place or a small integer, then a size. */
#define JSON_KIND_BITS 4
#define JSON_AT_BITS   30
#define JSON_MAX_BYTES ((size_t)1 << JSON_AT_BITS)
#define JSON_BIAS      ((uint64_t)1 << 59) /* added to a small integer, which is never negative so */

enum {
  JSON_OK = 0,
  JSON_NO_MEMORY = -1,
  JSON_BAD = -2 /* no JSON: the tape's fault says why */
};

/* Containers come before what they hold; an object's members are a key (JSON_TEXT or JSON_ESCAPED)
 * and a value each. */
typedef enum json_kind {
  JSON_NULL,
  JSON_FALSE,
  JSON_TRUE,
  JSON_SMALL,   /* an integer that fits into the token: json_small */
  JSON_INTEGER, /* an integer: the next token is its 64 bits */
  JSON_DOUBLE,  /* a number: the next token is the bits of a double */
  JSON_TEXT,    /* json_at and json_size: its bytes between the quotes, which are as they are */
  JSON_ESCAPED, /* the same, with escapes in it: json_unescape */
  JSON_LIST,    /* json_size: how many items follow */
  JSON_OBJECT   /* json_size: how many members; json_at: how many slots a table wants for them,
                 * which is fewer where many are null, or so short that most must be repeated */
} json_kind;

typedef uint64_t json_token;

static inline json_kind json_kind_of(json_token token) {
  return (json_kind)(token & (((json_token)1 << JSON_KIND_BITS) - 1));
}

static inline size_t json_at(json_token token) {
  return (size_t)(token >> JSON_KIND_BITS & (JSON_MAX_BYTES - 1));
}

static inline size_t json_size(json_token token) {
  return (size_t)(token >> (JSON_KIND_BITS + JSON_AT_BITS));
}

static inline int64_t json_small(json_token token) {
  return (int64_t)(token >> JSON_KIND_BITS) - (int64_t)JSON_BIAS;
}

/* A tape of zero bytes is a valid empty one. */
typedef struct json_tape {
  json_token *tokens; /* owned by the tape; valid until it is next used */
  size_t count, capacity;
  unsigned depth;    /* of the deepest container; 0 for a single value */
  const char *fault; /* after JSON_BAD: what is wrong, a constant text */
  size_t fault_at;   /* the byte where, counted from 0 */
} json_tape;

/* Reads `n` bytes of text, in place of what the tape held; text[n] must be 0. Returns JSON_OK,
 * JSON_BAD or JSON_NO_MEMORY. */
int json_parse(json_tape *tape, const char *text, size_t n);

/* Gives back what a long text made the tape hold. */
void json_tape_trim(json_tape *tape);

/* The tape holds no more than it needs, as long as there is memory for the change. */
void json_tape_fit(json_tape *tape);

/* Frees what the tape holds; it is empty and may be used again. */
void json_tape_free(json_tape *tape);

/* Writes the text that `n` bytes with escapes stand for to `out`, which has room for n bytes, and
 * returns its length. The escapes must be well formed. Half of a surrogate pair becomes U+FFFD;
 * with `halves` given, one that the text begins or ends with (its other half may stand in another
 * text) becomes the three bytes UTF-8 would have for it, and *halves true. */
size_t json_unescape(const char *text, size_t n, char *out, bool *halves);

/* Doubles tell all integers below this apart; from here on one may stand for a neighbour of what
 * was meant. */
#define JSON_EXACT ((int64_t)1 << 53)

/* A number: an integer where it is written as one that 64 bits hold, or is whole and below
 * JSON_EXACT; else the double nearest to it. */
typedef struct json_number {
  bool is_integer;
  int64_t integer;
  double number;
} json_number;

/* Reads the number (or -Infinity) at `at`, in a text that ends at `end`, where there is a 0.
 * Returns its end, and where it is none, the byte that is wrong with *fault. */
const char *json_read_number(const char *at, const char *end, json_number *out, const char **fault);

/* Whether a byte may follow a backslash. */
static inline bool json_is_escape(char c) {
  return c != '\0' && strchr("\"\\/bfnrtu", c) != NULL;
}

/* 0 to 15, or -1 where it is no hexadecimal digit. */
static inline int json_hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') return (c | 0x20) - 'a' + 10;
  return -1;
}

/* The first byte from `at` on that is a quote, a backslash or 0. `end` points to a 0. */
const char *json_skip_plain(const char *at, const char *end);

LLMG_HIDDEN_END
#endif
