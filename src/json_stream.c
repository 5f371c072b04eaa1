/* json_stream.c: see json_stream.h.
 *
 * A state says what may come next. Between tokens a byte decides (read_mark);
 * in a token bytes are taken until it ends (read_text, read_word).
 */
#include "json_stream.h"

#include <math.h>
#include <string.h>

enum state { VALUE, FIRST_ITEM, FIRST_KEY, KEY, COLON, NEXT, END, TEXT, ESCAPE, WORD };

#define LONGEST_WORD 8 /* Infinity */

static json_step fail(json_stream *s, const char *what) {
  if (s->fault == NULL) s->fault = what;
  return JSON_STEP_FAILED;
}

static json_step no_memory(json_stream *s) {
  return fail(s, "not enough memory");
}

/* ---- values ---- */

/* A value has ended: what may follow it. */
static void after_value(json_stream *s) {
  s->state = s->depth == 0 ? END : NEXT;
}

static json_step open_container(json_stream *s, char close) {
  if (s->depth == JSON_MAX_DEPTH) return fail(s, "nested deeper than 1000 levels");
  s->open[s->depth++] = close;
  s->state = close == ']' ? FIRST_ITEM : FIRST_KEY;
  return close == ']' ? JSON_STEP_LIST : JSON_STEP_OBJECT;
}

static json_step close_container(json_stream *s) {
  s->depth--;
  after_value(s);
  return JSON_STEP_CLOSE;
}

/* ---- words and numbers ---- */

static bool begins_word(char c) {
  return c != '\0' && strchr("-0123456789tfnNI", c) != NULL;
}

static bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '+' || c == '.';
}

static json_step settle_number(json_stream *s, const char *word, size_t n) {
  const char *fault;
  const char *end = json_read_number(word, word + n, &s->number, &fault);
  if (fault == NULL && end != word + n) fault = "expected ',' or the end of a number";
  if (fault != NULL) return fail(s, fault);
  after_value(s);
  return JSON_STEP_NUMBER;
}

/* The word in `token` is complete. */
static json_step settle_word(json_stream *s) {
  static const struct {
    const char *word;
    json_step step;
    double number;
  } words[] = {{"null", JSON_STEP_NULL, 0},
               {"false", JSON_STEP_FALSE, 0},
               {"true", JSON_STEP_TRUE, 0},
               {"NaN", JSON_STEP_NUMBER, (double)NAN},
               {"Infinity", JSON_STEP_NUMBER, (double)INFINITY}};
  if (buffer_append(&s->token, "", 1) != 0) return no_memory(s);
  const char *word = buffer_bytes(&s->token);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strcmp(words[i].word, word) != 0) continue;
    s->number = (json_number){.number = words[i].number};
    after_value(s);
    return words[i].step;
  }
  if (*word != '-' && (*word < '0' || *word > '9')) return fail(s, "expected a value");
  return settle_number(s, word, buffer_length(&s->token) - 1);
}

static json_step read_word(json_stream *s, const char **at, const char *end) {
  const char *start = *at;
  while (*at < end && is_word_byte(**at)) ++*at;
  size_t n = (size_t)(*at - start);
  s->bytes += n;
  if (buffer_append(&s->token, start, n) != 0) return no_memory(s);
  char first = *buffer_bytes(&s->token);
  if (first >= 'A' && buffer_length(&s->token) > LONGEST_WORD) return fail(s, "expected a value");
  return *at == end ? JSON_STEP_MORE : settle_word(s);
}

/* ---- texts ---- */

static bool add(json_stream *s, const char *bytes, size_t n) {
  if (buffer_append(&s->token, bytes, n) == 0) return true;
  no_memory(s);
  return false;
}

/* What json_unescape makes of escapes, which it has no need to see in one text. */
static bool add_unescaped(json_stream *s, const char *escapes, size_t n) {
  char out[12];
  return add(s, out, json_unescape(escapes, n, out, NULL));
}

static void spell(char *out, unsigned code) {
  static const char hex[] = "0123456789abcdef";
  out[0] = '\\';
  out[1] = 'u';
  for (int i = 0; i < 4; i++) out[2 + i] = hex[code >> (12 - 4 * i) & 15];
}

/* The half that waited for another and got none. */
static bool give_up_high(json_stream *s) {
  char escapes[6];
  if (s->high == 0) return true;
  spell(escapes, s->high);
  s->high = 0;
  return add_unescaped(s, escapes, sizeof escapes);
}

static bool add_code(json_stream *s) {
  char escapes[12];
  unsigned code = 0, high = s->high;
  for (int i = 1; i <= 4; i++) code = code << 4 | (unsigned)json_hex_value(s->escape[i]);
  if (code >= 0xD800 && code < 0xDC00) {
    if (!give_up_high(s)) return false;
    s->high = code;
    return true;
  }
  spell(escapes + 6, code);
  if (high == 0) return add_unescaped(s, escapes + 6, 6);
  spell(escapes, high); /* two halves, or one that is given up and a character */
  s->high = 0;
  return add_unescaped(s, escapes, sizeof escapes);
}

static bool add_escape(json_stream *s) {
  char escape[2] = {'\\', s->escape[0]};
  s->state = TEXT;
  if (s->escape[0] == 'u') return add_code(s);
  return give_up_high(s) && add_unescaped(s, escape, 2);
}

/* One byte of an escape, after its backslash. */
static bool read_escape(json_stream *s, char c) {
  bool is_first = s->escaped == 0;
  if (is_first ? !json_is_escape(c) : json_hex_value(c) < 0) {
    fail(s, is_first ? "an unknown escape" : "expected a hexadecimal digit");
    return false;
  }
  s->escape[s->escaped++] = c;
  s->bytes++;
  return s->escaped < (s->escape[0] == 'u' ? 5U : 1U) || add_escape(s);
}

static json_step end_text(json_stream *s) {
  if (!give_up_high(s)) return JSON_STEP_FAILED;
  if (!s->is_key) {
    after_value(s);
    return JSON_STEP_TEXT;
  }
  s->state = COLON;
  return JSON_STEP_KEY;
}

static json_step read_text(json_stream *s, const char **at, const char *end) {
  while (*at < end) {
    const char *stop = json_skip_plain(*at, end);
    size_t n = (size_t)(stop - *at);
    if (n > 0 && (!give_up_high(s) || !add(s, *at, n))) return JSON_STEP_FAILED;
    s->bytes += n;
    *at = stop;
    if (stop == end) break;
    if (*stop == '\0') return fail(s, "a NUL byte in a text");
    ++*at;
    s->bytes++;
    if (*stop == '"') return end_text(s);
    s->state = ESCAPE;
    s->escaped = 0;
    return JSON_STEP_MORE;
  }
  return JSON_STEP_MORE;
}

static json_step begin_text(json_stream *s, bool is_key) {
  s->state = TEXT;
  s->is_key = is_key;
  return JSON_STEP_MORE;
}

/* ---- between tokens ---- */

static bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_bom(json_stream *s, char c) {
  static const char bom[] = "\xEF\xBB\xBF";
  if (s->bytes != (size_t)s->bom || s->bom == 3 || c != bom[s->bom]) return false;
  s->bom++;
  return true;
}

static json_step read_value(json_stream *s, const char *at) {
  if (*at == '[') return open_container(s, ']');
  if (*at == '{') return open_container(s, '}');
  if (*at == '"') return begin_text(s, false);
  return fail(s, "expected a value");
}

static json_step read_key(json_stream *s, const char *at) {
  return *at == '"' ? begin_text(s, true) : fail(s, "expected a key in quotes");
}

static json_step read_next(json_stream *s, const char *at) {
  char close = s->open[s->depth - 1];
  if (*at == close) return close_container(s);
  if (*at != ',') return fail(s, close == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
  s->state = close == ']' ? VALUE : KEY;
  return JSON_STEP_MORE;
}

/* The byte at `at`, which is no blank and begins no word. */
static json_step read_mark(json_stream *s, const char *at) {
  switch (s->state) {
  case FIRST_ITEM:
    if (*at == ']') return close_container(s);
    return read_value(s, at);
  case VALUE: return read_value(s, at);
  case FIRST_KEY:
    if (*at == '}') return close_container(s);
    return read_key(s, at);
  case KEY: return read_key(s, at);
  case NEXT: return read_next(s, at);
  case COLON: s->state = VALUE; return *at == ':' ? JSON_STEP_MORE : fail(s, "expected ':'");
  default: return fail(s, "expected the end of the text");
  }
}

static json_step read_between(json_stream *s, const char **at) {
  if (s->bytes < 3 && is_bom(s, **at)) {
    s->bytes++;
    ++*at;
    return JSON_STEP_MORE;
  }
  if (s->bom == 1 || s->bom == 2) {
    if (s->bytes == (size_t)s->bom) return fail(s, "expected a value");
  }
  if (!is_blank(**at)) {
    buffer_clear(&s->token);
    if (begins_word(**at) && (s->state == VALUE || s->state == FIRST_ITEM)) {
      s->state = WORD;
      return JSON_STEP_MORE;
    }
    json_step step = read_mark(s, *at);
    if (step == JSON_STEP_FAILED) return step;
    s->bytes++;
    ++*at;
    return step;
  }
  s->bytes++;
  ++*at;
  return JSON_STEP_MORE;
}

/* ---- reading ---- */

static json_step read_on(json_stream *s, const char **at, const char *end) {
  switch (s->state) {
  case TEXT: return read_text(s, at, end);
  case WORD: return read_word(s, at, end);
  case ESCAPE:
    if (!read_escape(s, **at)) return JSON_STEP_FAILED;
    ++*at;
    return JSON_STEP_MORE;
  default: return read_between(s, at);
  }
}

json_step json_stream_next(json_stream *s, const char **at, const char *end) {
  if (s->fault != NULL) return JSON_STEP_FAILED;
  while (*at < end) {
    json_step step = read_on(s, at, end);
    if (step != JSON_STEP_MORE) return step;
  }
  return JSON_STEP_MORE;
}

json_step json_stream_end(json_stream *s) {
  if (s->fault != NULL) return JSON_STEP_FAILED;
  if (s->state == WORD && s->depth == 0) return settle_word(s);
  return s->state == END ? JSON_STEP_MORE : fail(s, "the text ends too early");
}

bool json_stream_is_whole(const json_stream *s) {
  return s->fault == NULL && s->state == END;
}

/* How many bytes at the end begin a character whose rest is missing. */
static size_t cut_bytes(const unsigned char *bytes, size_t n) {
  for (size_t back = 1; back <= 3 && back <= n; back++) {
    unsigned char c = bytes[n - back];
    if ((c & 0xC0) == 0x80) continue;
    size_t wanted = c < 0xC2 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 1;
    return wanted > back ? back : 0;
  }
  return 0;
}

bool json_stream_open_text(const json_stream *s, size_t *n) {
  if ((s->state != TEXT && s->state != ESCAPE) || s->is_key || s->fault != NULL) return false;
  size_t length = buffer_length(&s->token);
  *n = length - cut_bytes((const unsigned char *)buffer_bytes(&s->token), length);
  return true;
}

void json_stream_free(json_stream *s) {
  buffer_free(&s->token);
}
