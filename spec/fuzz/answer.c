/* answer.c: see answer.h. RFC 9112, without any of its leniency. */
#define _POSIX_C_SOURCE 200809L
#include "answer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"

typedef struct text {
  const char *at, *end;
} text;

/* Takes a line and its CRLF off the front. False when there is none. */
static bool take_line(text *from, text *line) {
  for (const char *at = from->at; at < from->end; at++) {
    at = memchr(at, '\r', (size_t)(from->end - at));
    if (at == NULL || at + 1 == from->end) return false;
    if (at[1] != '\n') continue;
    *line = (text){from->at, at};
    from->at = at + 2;
    return true;
  }
  return false;
}

static size_t size(const text *t) {
  return (size_t)(t->end - t->at);
}

static bool is_printable(const text *t) {
  for (const char *at = t->at; at < t->end; at++)
    if (*at < ' ' || *at > '~') return false;
  return true;
}

static bool is_text(const text *t, const char *wanted) {
  return size(t) == strlen(wanted) && strncasecmp(t->at, wanted, size(t)) == 0;
}

/* Reads 1 to 6 digits. */
static bool read_number(const text *t, int base, size_t *number) {
  char digits[7] = "";
  if (size(t) < 1 || size(t) > 6) return false;
  memcpy(digits, t->at, size(t));
  const char *allowed = base == 10 ? "0123456789" : "0123456789abcdefABCDEF";
  if (strspn(digits, allowed) != size(t)) return false;
  *number = strtoul(digits, NULL, base);
  return true;
}

static bool read_status(answer *a, const text *line) {
  size_t status;
  if (size(line) < 13 || !is_printable(line) || line->at[12] != ' ') return false;
  if (strncmp(line->at, "HTTP/1.1 ", 9) != 0 && strncmp(line->at, "HTTP/1.0 ", 9) != 0)
    return false;
  text digits = {line->at + 9, line->at + 12};
  if (!read_number(&digits, 10, &status) || status < 100 || status > 599) return false;
  a->status = (int)status;
  return true;
}

static bool is_name(const text *t) {
  for (const char *at = t->at; at < t->end; at++)
    if (!isalnum((unsigned char)*at) && *at != '-') return false;
  return size(t) > 0;
}

/* Fields that change how a body is read are known or make the whole answer unknown. */
static bool use_field(answer *a, const text *name, const text *value) {
  static const char stream[] = "text/event-stream";
  if (is_text(name, "content-length")) {
    bool first = !a->has_length;
    a->has_length = true;
    return first && read_number(value, 10, &a->length);
  }
  if (is_text(name, "transfer-encoding")) {
    bool first = !a->chunked;
    a->chunked = true;
    return first && is_text(value, "chunked");
  }
  if (is_text(name, "content-type")) {
    if (a->is_event_stream) return false;
    a->is_event_stream = is_text(value, stream);
    return a->is_event_stream || size(value) < strlen(stream) ||
           strncasecmp(value->at, stream, strlen(stream)) != 0;
  }
  return !is_text(name, "content-encoding") && !is_text(name, "connection") &&
         !is_text(name, "upgrade") && !is_text(name, "proxy-connection");
}

static bool read_field(answer *a, const text *line) {
  const char *colon = memchr(line->at, ':', size(line));
  if (colon == NULL || colon + 2 >= line->end || colon[1] != ' ' || colon[2] == ' ') return false;
  text name = {line->at, colon}, value = {colon + 2, line->end};
  return is_name(&name) && is_printable(&value) && value.end[-1] != ' ' &&
         use_field(a, &name, &value);
}

/* One head, from the status line to the blank one. */
static verdict read_head(answer *a, text *from) {
  text line;
  memset(a, 0, sizeof *a);
  if (!take_line(from, &line)) return ANSWER_UNKNOWN;
  if (!read_status(a, &line)) return ANSWER_UNKNOWN;
  while (take_line(from, &line)) {
    if (size(&line) == 0) return ANSWER_COMPLETE;
    if (!read_field(a, &line)) return ANSWER_UNKNOWN;
  }
  return ANSWER_UNKNOWN;
}

static void add(answer *a, const char *bytes, size_t n) {
  demand(buffer_append(&a->body, bytes, n) == 0, "memory");
}

static verdict read_trailers(text *from) {
  text line;
  answer unused = {0};
  while (take_line(from, &line)) {
    if (size(&line) == 0) return ANSWER_COMPLETE;
    if (!read_field(&unused, &line)) return ANSWER_UNKNOWN;
  }
  return ANSWER_INCOMPLETE;
}

/* A chunk cut anywhere is missing something; its bytes so far count as body. */
static verdict read_chunks(answer *a, text *from) {
  text line;
  size_t n;
  while (take_line(from, &line)) {
    if (!read_number(&line, 16, &n)) return ANSWER_UNKNOWN;
    if (n == 0) return read_trailers(from);
    size_t here = n < size(from) ? n : size(from);
    add(a, from->at, here);
    from->at += here;
    if (size(from) < 2)
      return size(from) == 1 && *from->at != '\r' ? ANSWER_UNKNOWN : ANSWER_INCOMPLETE;
    if (memcmp(from->at, "\r\n", 2) != 0) return ANSWER_UNKNOWN;
    from->at += 2;
  }
  for (const char *at = from->at; at < from->end; at++)
    if (!isxdigit((unsigned char)*at)) return ANSWER_UNKNOWN;
  return ANSWER_INCOMPLETE;
}

static verdict read_body(answer *a, text *from, bool ended) {
  if (a->chunked) return a->has_length ? ANSWER_UNKNOWN : read_chunks(a, from);
  a->closes = !a->has_length;
  size_t here = a->closes || a->length > size(from) ? size(from) : a->length;
  add(a, from->at, here);
  if (a->closes) return ended ? ANSWER_COMPLETE : ANSWER_INCOMPLETE;
  return here == a->length ? ANSWER_COMPLETE : ANSWER_INCOMPLETE;
}

/* Without a blank line, however sloppily written, there is no head at all. libcurl passes over a
 * NUL where a piece of the answer begins with one, so then nothing is certain. */
static bool has_blank_line(const char *bytes, size_t n) {
  const char *end = bytes + n, *at = memchr(bytes, '\n', n);
  if (memchr(bytes, '\0', n) != NULL) return true;
  while (at != NULL && at + 1 < end) {
    if (at[1] == '\n' || at[1] == '\r') return true;
    at = memchr(at + 1, '\n', (size_t)(end - at - 1));
  }
  return false;
}

verdict answer_read(answer *a, const char *bytes, size_t n, bool ended, bool bodiless) {
  text from = {bytes, bytes + n};
  memset(a, 0, sizeof *a);
  if (!has_blank_line(bytes, n)) return ANSWER_INCOMPLETE;
  do {
    if (!has_blank_line(from.at, size(&from))) return ANSWER_INCOMPLETE;
    if (read_head(a, &from) != ANSWER_COMPLETE || a->status == 101) return ANSWER_UNKNOWN;
    /* an interim answer has no body, whatever its fields say */
  } while (a->status < 200);
  if (bodiless || a->status == 204 || a->status == 304) return ANSWER_COMPLETE;
  return read_body(a, &from, ended);
}
