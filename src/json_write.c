/* json_write.c: see json_write.h. */
#include "json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_ROOM 32 /* the longest has 24 bytes */

int json_write_raw(buffer *out, const char *bytes, size_t n) {
  return buffer_append(out, bytes, n) == 0 ? JSON_OK : JSON_NO_MEMORY;
}

/* ---- texts ---- */

static inline bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* A bit for each byte of a block that is not plain. A byte after such a one may get a bit too. */
static inline uint64_t not_plain(uint64_t block) {
  const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
  uint64_t quotes = block ^ ones * '"', backslashes = block ^ ones * '\\';
  uint64_t controls = block - ones * 0x20, deletes = block + ones;
  return (block | controls | deletes | ((quotes - ones) & ~quotes) |
          ((backslashes - ones) & ~backslashes)) &
         tops;
}

static const char *skip_plain(const char *at, const char *end) {
  uint64_t block;
  for (; end - at >= 8; at += 8) {
    memcpy(&block, at, sizeof block);
    if (not_plain(block) != 0) break;
  }
  while (at < end && is_plain((unsigned char)*at)) at++;
  return at;
}

/* How many bytes the character at `at` has; 0 when it is none (RFC 3629, section 4). */
static size_t character(const unsigned char *at, size_t left) {
  unsigned char lowest = 0x80, highest = 0xBF;
  size_t n = at[0] < 0x80 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
  if (n == 1) return 1;
  if (at[0] < 0xC2 || at[0] > 0xF4 || left < n) return 0;
  if (at[0] == 0xE0) lowest = 0xA0;
  if (at[0] == 0xED) highest = 0x9F;
  if (at[0] == 0xF0) lowest = 0x90;
  if (at[0] == 0xF4) highest = 0x8F;
  if (at[1] < lowest || at[1] > highest) return 0;
  for (size_t i = 2; i < n; i++)
    if ((at[i] & 0xC0) != 0x80) return 0;
  return n;
}

/* Passes over characters beyond ASCII. Returns where they end, or NULL at *bad, which is none. */
static const char *skip_characters(const char *at, const char *end, const char **bad) {
  while (at < end && ((unsigned char)*at & 0x80) != 0) {
    size_t n = character((const unsigned char *)at, (size_t)(end - at));
    *bad = at;
    if (n == 0) return NULL;
    at += n;
  }
  return at;
}

static int write_escape(buffer *out, unsigned char c) {
  static const char short_for[] = "\"\"\\\\\bb\ff\nn\rr\tt", hex[] = "0123456789abcdef";
  char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
  for (size_t i = 0; i + 1 < sizeof short_for; i += 2) {
    if ((unsigned char)short_for[i] != c) continue;
    text[1] = short_for[i + 1];
    return json_write_raw(out, text, 2);
  }
  return json_write_raw(out, text, sizeof text);
}

/* What stands between the quotes. */
static int write_content(buffer *out, const char *text, size_t n, size_t *bad) {
  const char *at = text, *end = text + n, *from = text, *wrong;
  while ((at = skip_plain(at, end)) < end) {
    if (((unsigned char)*at & 0x80) != 0) {
      at = skip_characters(at, end, &wrong);
      if (at != NULL) continue;
      *bad = (size_t)(wrong - text);
      return JSON_BAD;
    }
    if (json_write_raw(out, from, (size_t)(at - from)) != JSON_OK) return JSON_NO_MEMORY;
    if (write_escape(out, (unsigned char)*at) != JSON_OK) return JSON_NO_MEMORY;
    from = ++at;
  }
  return json_write_raw(out, from, (size_t)(end - from));
}

int json_write_text(buffer *out, const char *text, size_t n, size_t *bad) {
  if (buffer_reserve(out, n + 2) != 0) return JSON_NO_MEMORY;
  json_write_raw(out, "\"", 1);
  int status = write_content(out, text, n, bad);
  return status == JSON_OK ? json_write_raw(out, "\"", 1) : status;
}

/* ---- numbers ---- */

int json_write_integer(buffer *out, int64_t value) {
  char text[NUMBER_ROOM];
  int n = snprintf(text, sizeof text, "%" PRId64, value);
  return json_write_raw(out, text, (size_t)n);
}

/* What is no digit, sign or exponent is the locale's decimal point. */
static size_t drop_locale(char *text, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    bool is_point = strchr("0123456789+-e", text[i]) == NULL;
    if (!is_point)
      text[kept++] = text[i];
    else if (text[kept - 1] != '.')
      text[kept++] = '.';
  }
  return kept;
}

int json_write_double(buffer *out, double value) {
  char text[NUMBER_ROOM + 8]; /* a locale's point may have several bytes */
  int n = 0;
  for (int digits = 14; digits <= 17; digits++) {
    n = snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  return json_write_raw(out, text, drop_locale(text, (size_t)n));
}
