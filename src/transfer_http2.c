/* transfer_http2.c: what an HTTP/2 server says of requests that it did nothing with, where libcurl
 * keeps that to itself.
 *
 * With GOAWAY a server names the last stream that it may have acted on (RFC 9113, 6.8); requests of
 * later ones may be repeated. libcurl says so of a stream that is not the connection's last one.
 * Before 8.1 it ends that one as a fault in the framing, which it says of broken answers too. The
 * numbers are in its words for CURLOPT_DEBUGFUNCTION alone, and there from 7.88 on: before, nothing
 * is known, and such a call counts as lost.
 */
#define _POSIX_C_SOURCE 200809L
#include "transfer_private.h"

#include <stdlib.h>
#include <string.h>

#define HAS_WORDS (LIBCURL_VERSION_NUM >= 0x075800 && LIBCURL_VERSION_NUM < 0x080100)

#if HAS_WORDS

static bool number_behind(const char *text, size_t n, const char *words, uint32_t *number) {
  size_t length = strlen(words);
  char digits[11] = "";
  if (n <= length || memcmp(text, words, length) != 0) return false;
  n -= length;
  memcpy(digits, text + length, n < sizeof digits - 1 ? n : sizeof digits - 1);
  if (digits[0] < '0' || digits[0] > '9') return false;
  *number = (uint32_t)strtoul(digits, NULL, 10);
  return true;
}

/* "recveived GOAWAY, error=0, last_stream=1", as libcurl spells it. */
static bool last_stream_in(const char *text, size_t n, uint32_t *last) {
  static const char start[] = "recveived GOAWAY, error=", name[] = "last_stream=";
  if (n <= sizeof start || memcmp(text, start, sizeof start - 1) != 0) return false;
  for (size_t at = sizeof start - 1; at < n; at++)
    if (number_behind(text + at, n - at, name, last)) return true;
  return false;
}

/* CURLOPT_DEBUGFUNCTION. Of all exchanges on a connection it is told to the one that reads. */
static int on_words(CURL *easy, curl_infotype type, char *text, size_t n, void *self) {
  transfer *t = self;
  uint32_t last;
  (void)easy;
  if (type != CURLINFO_TEXT) return 0;
  number_behind(text, n, "Using Stream ID: ", &t->stream_id);
  if (last_stream_in(text, n, &last)) socket_refuse_streams(&t->member.connection, last + 1);
  return 0;
}

CURLcode transfer_hear_http2(transfer *t) {
  CURL *easy = t->member.easy;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_words);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_DEBUGDATA, t);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
  return code;
}

#else

CURLcode transfer_hear_http2(transfer *t) {
  (void)t;
  return CURLE_OK;
}

#endif

bool transfer_was_turned_away(const transfer *t) {
  uint32_t first = socket_first_refused(&t->member.connection);
  return t->progress == PROGRESS_SENT && first != 0 && t->stream_id >= first;
}
