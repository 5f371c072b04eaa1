/* json.c: see json.h.
 *
 * A text is read value by value (read_value), in a loop that goes on in the
 * innermost container (read_next): no recursion. Every look ahead stops at the
 * 0 that ends the text, which is legal nowhere in it.
 */
#include "json.h"

#include <math.h>
#include <string.h>

#include "mem.h"

#define FIRST_CAPACITY 64
#define KEPT_CAPACITY  ((size_t)8 * 1024) /* tokens: a longer tape is not kept */
#define LONG           128 /* bytes of a text without a special one: then there may be many more */
#define STRETCH        512 /* bytes of it that are looked through at once */
#define SURE_SLOTS     8   /* so many members get their slots whatever their length */
#define SLOT_BYTES     8   /* the shortest member that is believed not to repeat another */

typedef struct container {
  uint32_t token; /* its place on the tape */
  uint32_t count, nulls;
  char close;
} container;

typedef struct reader {
  const char *start, *at, *end;
  json_tape *tape;
  int status;
  unsigned depth;
  container open[JSON_MAX_DEPTH];
} reader;

static bool fail(reader *r, const char *at, const char *what) {
  r->status = JSON_BAD;
  r->tape->fault = at == r->end ? "the text ends too early" : what;
  r->tape->fault_at = (size_t)(at - r->start);
  return false;
}

/* ---- the tape ---- */

static bool grow(reader *r) {
  json_tape *tape = r->tape;
  size_t capacity = tape->capacity == 0 ? FIRST_CAPACITY : tape->capacity * 2;
  json_token *tokens = mem_resize(tape->tokens, capacity * sizeof *tokens);
  if (tokens == NULL) {
    r->status = JSON_NO_MEMORY;
    return false;
  }
  tape->tokens = tokens;
  tape->capacity = capacity;
  return true;
}

static inline bool put(reader *r, json_token token) {
  json_tape *tape = r->tape;
  if (tape->count == tape->capacity && !grow(r)) return false;
  tape->tokens[tape->count++] = token;
  return true;
}

static inline json_token token_of(json_kind kind, size_t at, size_t size) {
  return (json_token)kind | (json_token)at << JSON_KIND_BITS |
         (json_token)size << (JSON_KIND_BITS + JSON_AT_BITS);
}

void json_tape_trim(json_tape *tape) {
  if (tape->capacity > KEPT_CAPACITY) json_tape_free(tape);
}

void json_tape_fit(json_tape *tape) {
  if (tape->count == 0 || tape->count == tape->capacity) return;
  json_token *tokens = mem_resize(tape->tokens, tape->count * sizeof *tokens);
  if (tokens == NULL) return;
  tape->tokens = tokens;
  tape->capacity = tape->count;
}

void json_tape_free(json_tape *tape) {
  mem_free(tape->tokens);
  memset(tape, 0, sizeof *tape);
}

/* ---- texts ---- */

static inline uint64_t has_zero(uint64_t block) {
  return (block - 0x0101010101010101U) & ~block & 0x8080808080808080U;
}

static const bool is_special[256] = {['"'] = true, ['\\'] = true, ['\0'] = true};

/* The end of those stretches of a long text that have no special byte: libc looks for one byte at
 * many places at once. */
static const char *skip_stretches(const char *at, const char *end) {
  for (; end - at >= STRETCH; at += STRETCH)
    if (memchr(at, '"', STRETCH) != NULL || memchr(at, '\\', STRETCH) != NULL ||
        memchr(at, '\0', STRETCH) != NULL)
      break;
  return at;
}

static const char *skip_blocks(const char *at, const char *end) {
  const uint64_t quotes = 0x2222222222222222U, backslashes = 0x5C5C5C5C5C5C5C5CU;
  uint64_t block;
  for (; end - at >= 8; at += 8) {
    memcpy(&block, at, sizeof block);
    if ((has_zero(block ^ quotes) | has_zero(block ^ backslashes) | has_zero(block)) != 0) break;
  }
  return at;
}

const char *json_skip_plain(const char *at, const char *end) {
  const char *start = at;
  at = skip_blocks(at, end - at > LONG ? at + LONG : end);
  if (at - start == LONG) at = skip_blocks(skip_stretches(at, end), end);
  while (!is_special[(unsigned char)*at]) at++;
  return at;
}

/* Passes over an escape, from its backslash on. */
static bool skip_escape(reader *r) {
  const char *at = r->at + 1;
  if (!json_is_escape(*at)) return fail(r, at, "an unknown escape");
  r->at = at + 1;
  if (*at != 'u') return true;
  for (int i = 0; i < 4; i++, r->at++)
    if (json_hex_value(*r->at) < 0) return fail(r, r->at, "expected a hexadecimal digit");
  return true;
}

/* From the byte after the opening quote. */
static bool read_text(reader *r) {
  const char *text = r->at;
  json_kind kind = JSON_TEXT;
  while (*(r->at = json_skip_plain(r->at, r->end)) == '\\') {
    kind = JSON_ESCAPED;
    if (!skip_escape(r)) return false;
  }
  if (*r->at != '"') return fail(r, r->at, "a NUL byte in a text");
  size_t n = (size_t)(r->at++ - text);
  return put(r, token_of(kind, (size_t)(text - r->start), n));
}

/* ---- values ---- */

/* A token that says what the 64 bits behind it are. */
static inline bool put_bits(reader *r, json_kind kind, const void *bits) {
  json_tape *tape = r->tape;
  if (tape->capacity - tape->count < 2 && !grow(r)) return false;
  tape->tokens[tape->count] = (json_token)kind;
  memcpy(&tape->tokens[tape->count + 1], bits, sizeof(json_token));
  tape->count += 2;
  return true;
}

static bool put_number(reader *r, const json_number *n) {
  if (!n->is_integer) return put_bits(r, JSON_DOUBLE, &n->number);
  uint64_t biased = (uint64_t)n->integer + JSON_BIAS;
  if (biased >= JSON_BIAS * 2) return put_bits(r, JSON_INTEGER, &n->integer);
  return put(r, (json_token)JSON_SMALL | biased << JSON_KIND_BITS);
}

static inline bool begins_number(char c) {
  return (c >= '0' && c <= '9') || c == '-';
}

static bool read_number(reader *r) {
  json_number n;
  const char *fault, *end = json_read_number(r->at, r->end, &n, &fault);
  if (fault != NULL) return fail(r, end, fault);
  r->at = end;
  return put_number(r, &n);
}

static bool read_word(reader *r, const char *word, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (r->at[i] != word[i]) return fail(r, r->at + i, "expected a value");
  r->at += n;
  return true;
}

static bool read_null(reader *r) {
  if (r->depth > 0) r->open[r->depth - 1].nulls++;
  return read_word(r, "null", 4) && put(r, JSON_NULL);
}

static bool read_special(reader *r, const char *word, size_t n, double value) {
  return read_word(r, word, n) && put_bits(r, JSON_DOUBLE, &value);
}

static bool open_container(reader *r, json_kind kind) {
  if (r->depth == JSON_MAX_DEPTH) return fail(r, r->at, "nested deeper than 1000 levels");
  r->open[r->depth++] = (container){(uint32_t)r->tape->count, 0, 0, kind == JSON_LIST ? ']' : '}'};
  if (r->depth > r->tape->depth) r->tape->depth = r->depth;
  /* where it begins, until close_container knows better */
  return put(r, token_of(kind, (size_t)(r->at++ - r->start), 0));
}

/* Members that are so short that most of them must have the same key get no room in advance. */
static size_t slots(const container *c, size_t bytes) {
  size_t wanted = c->count - c->nulls;
  size_t believed = bytes / SLOT_BYTES > SURE_SLOTS ? bytes / SLOT_BYTES : SURE_SLOTS;
  return wanted < believed ? wanted : believed;
}

static bool close_container(reader *r) {
  const container *c = &r->open[--r->depth];
  json_token *token = &r->tape->tokens[c->token];
  size_t bytes = (size_t)(++r->at - r->start) - json_at(*token);
  *token = token_of(json_kind_of(*token), slots(c, bytes), c->count);
  return true;
}

static inline void skip_blanks(reader *r) {
  while (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t') r->at++;
}

static bool read_value(reader *r) {
  skip_blanks(r);
  switch (*r->at) {
  case '"': r->at++; return read_text(r);
  case '{': return open_container(r, JSON_OBJECT);
  case '[': return open_container(r, JSON_LIST);
  case 't': return read_word(r, "true", 4) && put(r, JSON_TRUE);
  case 'f': return read_word(r, "false", 5) && put(r, JSON_FALSE);
  case 'n': return read_null(r);
  case 'N': return read_special(r, "NaN", 3, (double)NAN);
  case 'I': return read_special(r, "Infinity", 8, (double)INFINITY);
  default:
    if (begins_number(*r->at)) return read_number(r);
    return fail(r, r->at, "expected a value");
  }
}

static bool read_key(reader *r) {
  skip_blanks(r);
  if (*r->at != '"') return fail(r, r->at, "expected a key in quotes");
  r->at++;
  if (!read_text(r)) return false;
  skip_blanks(r);
  if (*r->at != ':') return fail(r, r->at, "expected ':'");
  r->at++;
  return true;
}

/* Goes on in the innermost container: to its next item, or past its end. */
static bool read_next(reader *r) {
  container *c = &r->open[r->depth - 1];
  skip_blanks(r);
  if (*r->at == c->close) return close_container(r);
  if (c->count++ > 0) {
    if (*r->at != ',')
      return fail(r, r->at, c->close == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
    r->at++;
  }
  if (c->close == '}' && !read_key(r)) return false;
  return begins_number(*r->at) ? read_number(r) : read_value(r);
}

static bool read_whole(reader *r) {
  if (!read_value(r)) return false;
  while (r->depth > 0)
    if (!read_next(r)) return false;
  skip_blanks(r);
  return r->at == r->end || fail(r, r->at, "expected the end of the text");
}

int json_parse(json_tape *tape, const char *text, size_t n) {
  reader r;
  r.start = r.at = text;
  r.end = text + n;
  r.tape = tape;
  r.status = JSON_OK;
  r.depth = 0;
  tape->count = 0;
  tape->depth = 0;
  if (n >= JSON_MAX_BYTES) {
    fail(&r, text, "a text of 1 GiB or more");
    return JSON_BAD;
  }
  if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) r.at += 3;
  read_whole(&r);
  return r.status;
}

/* ---- escapes ---- */

static unsigned code_at(const char *digits) {
  unsigned code = 0;
  for (int i = 0; i < 4; i++) code = code << 4 | (unsigned)json_hex_value(digits[i]);
  return code;
}

static char *put_utf8(char *out, unsigned code) {
  if (code < 0x80) {
    *out++ = (char)code;
    return out;
  }
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const unsigned char heads[] = {0, 0xC0, 0xE0, 0xF0};
  *out++ = (char)(heads[more] | code >> (6 * more));
  while (more-- > 0) *out++ = (char)(0x80 | (code >> (6 * more) & 0x3F));
  return out;
}

static bool is_high(unsigned code) {
  return code >= 0xD800 && code < 0xDC00;
}

static bool is_low(unsigned code) {
  return code >= 0xDC00 && code < 0xE000;
}

typedef struct unescaped {
  const char *start, *end;
  char *out;
  bool *halves;
} unescaped;

/* The escape whose four digits begin at `at`; returns where the text goes on. */
static const char *put_code(unescaped *u, const char *at) {
  unsigned code = code_at(at), low = 0;
  const char *next = at + 4;
  if (is_high(code) && u->end - next >= 6 && next[0] == '\\' && next[1] == 'u')
    low = code_at(next + 2);
  if (is_low(low)) {
    u->out = put_utf8(u->out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
    return next + 6;
  }
  if (is_high(code) || is_low(code)) {
    bool at_edge = is_high(code) ? next == u->end : at - 2 == u->start;
    if (at_edge && u->halves != NULL)
      *u->halves = true;
    else
      code = 0xFFFD;
  }
  u->out = put_utf8(u->out, code);
  return next;
}

static char escaped_byte(char c) {
  switch (c) {
  case 'b': return '\b';
  case 'f': return '\f';
  case 'n': return '\n';
  case 'r': return '\r';
  case 't': return '\t';
  default: return c;
  }
}

size_t json_unescape(const char *text, size_t n, char *out, bool *halves) {
  unescaped u = {text, text + n, out, halves};
  while (text < u.end) {
    const char *backslash = memchr(text, '\\', (size_t)(u.end - text));
    size_t plain = (size_t)((backslash == NULL ? u.end : backslash) - text);
    memmove(u.out, text, plain);
    u.out += plain;
    if (backslash == NULL) break;
    text = backslash + 2;
    if (text[-1] == 'u')
      text = put_code(&u, text);
    else
      *u.out++ = escaped_byte(text[-1]);
  }
  return (size_t)(u.out - out);
}
