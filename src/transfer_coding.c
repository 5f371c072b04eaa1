/* transfer_coding.c: which content codings libcurl can take off an answer, and at what cost.
 *
 * libcurl refuses an answer with any other Content-Encoding, although many are
 * no coding at all ("UTF-8"): such an answer is read as it is. Some codings may
 * make a thousand times as much of a few bytes, others ten thousands: these are
 * dense.
 */
#define _POSIX_C_SOURCE 200809L
#include "transfer_private.h"

#include <string.h>
#include <strings.h>

typedef struct coding {
  const char *name;
  int feature; /* of this libcurl; 0 for none */
  bool is_dense;
} coding;

static const coding codings[] = {
    {"identity", 0, false},
    {"deflate", CURL_VERSION_LIBZ, false},
    {"gzip", CURL_VERSION_LIBZ, false},
    {"x-gzip", CURL_VERSION_LIBZ, false},
    {"br", CURL_VERSION_BROTLI, true},
    {"zstd", CURL_VERSION_ZSTD, true},
};

static const coding *known(const char *name, size_t n) {
  int features = curl_version_info(CURLVERSION_NOW)->features;
  for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
    const coding *c = &codings[i];
    if (strlen(c->name) != n || strncasecmp(c->name, name, n) != 0) continue;
    return c->feature == 0 || (features & c->feature) != 0 ? c : NULL;
  }
  return n == 0 ? &codings[0] : NULL;
}

/* RFC 9110, 5.6.1: a list, of which an element may be empty. */
static transfer_coding coding_of_list(const char *at, const char *end) {
  static const char blanks[] = " \t\r\n,";
  transfer_coding found = CODING_PLAIN;
  while (at < end) {
    const char *from = at;
    while (at < end && memchr(blanks, *at, sizeof blanks - 1) == NULL) at++;
    const coding *c = known(from, (size_t)(at++ - from));
    if (c == NULL) return CODING_FOREIGN;
    if (c->is_dense) found = CODING_DENSE;
  }
  return found;
}

transfer_coding transfer_coding_of(const char *line, size_t n) {
  static const char name[] = "content-encoding:";
  size_t length = sizeof name - 1;
  if (n < length || strncasecmp(line, name, length) != 0) return CODING_PLAIN;
  return coding_of_list(line + length, line + n);
}
