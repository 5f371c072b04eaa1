/* transfer_coding.c: which content codings libcurl can take off an answer.
 *
 * libcurl refuses an answer with any other Content-Encoding, although many are
 * no coding at all ("UTF-8"): such an answer is read as it is.
 */
#define _POSIX_C_SOURCE 200809L
#include "transfer_private.h"

#include <string.h>
#include <strings.h>

typedef struct coding {
  const char *name;
  int feature; /* of this libcurl; 0 for none */
} coding;

static const coding codings[] = {
    {"identity", 0},
    {"deflate", CURL_VERSION_LIBZ},
    {"gzip", CURL_VERSION_LIBZ},
    {"x-gzip", CURL_VERSION_LIBZ},
    {"br", CURL_VERSION_BROTLI},
    {"zstd", CURL_VERSION_ZSTD},
};

static bool is_known(const char *name, size_t n) {
  int features = curl_version_info(CURLVERSION_NOW)->features;
  for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
    const coding *c = &codings[i];
    if (strlen(c->name) != n || strncasecmp(c->name, name, n) != 0) continue;
    return c->feature == 0 || (features & c->feature) != 0;
  }
  return n == 0;
}

/* RFC 9110, 5.6.1: a list, of which an element may be empty. */
static bool knows_all(const char *at, const char *end) {
  static const char blanks[] = " \t\r\n,";
  while (at < end) {
    const char *from = at;
    while (at < end && memchr(blanks, *at, sizeof blanks - 1) == NULL) at++;
    if (!is_known(from, (size_t)(at++ - from))) return false;
  }
  return true;
}

bool transfer_is_foreign_coding(const char *line, size_t n) {
  static const char name[] = "content-encoding:";
  size_t length = sizeof name - 1;
  return n >= length && strncasecmp(line, name, length) == 0 && !knows_all(line + length, line + n);
}
