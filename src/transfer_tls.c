/* transfer_tls.c: what OpenSSL knows of a connection: whether an answer that ends with it came
 * whole, and whether bytes are left that nobody has read.
 *
 * An answer that ends with its connection is whole when the server has said, in TLS, that no more
 * follows (close_notify; RFC 8446, 6.1): anybody on the way can end the
 * connection. libcurl up to 8.11 does not look, so OpenSSL is asked, which is
 * found at libcurl's and not linked. With another TLS library nothing is known,
 * and libcurl's word counts.
 */
#define _POSIX_C_SOURCE 200809L
#include "transfer_private.h"

#include <strings.h>

#include "platform.h"

#define RECEIVED_SHUTDOWN                                                                          \
  2 /* SSL_RECEIVED_SHUTDOWN; the same in all libraries with that interface */

/* ---- asking OpenSSL ---- */

static transfer_tls_state *find_tls_state(const char *name) {
  return (transfer_tls_state *)platform_symbol((void (*)(void))curl_easy_init, name);
}

/* NULL when it is not known, or the exchange has no connection any more. */
static const void *ssl_of(CURL *easy) {
  struct curl_tlssessioninfo *session = NULL;
  if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK) return NULL;
  return session->backend == CURLSSLBACKEND_OPENSSL ? session->internals : NULL;
}

/* What OpenSSL has decrypted and nobody has asked for: the socket does not show it. */
bool transfer_tls_holds_bytes(CURL *easy) {
  const void *ssl = ssl_of(easy);
  transfer_tls_state *pending = ssl == NULL ? NULL : find_tls_state("SSL_pending");
  return pending != NULL && pending(ssl) > 0;
}

/* ---- watching ---- */

/* CURLOPT_XFERINFOFUNCTION. libcurl's last call for an exchange comes at its very end, while the
 * connection is still there, and nowhere else is there such a moment. */
static int on_progress(void *self, curl_off_t to_load, curl_off_t loaded, curl_off_t to_send,
                       curl_off_t sent) {
  transfer *t = self;
  const void *ssl = ssl_of(t->member.easy);
  (void)to_load, (void)loaded, (void)to_send, (void)sent;
  t->end_unsaid = ssl != NULL && (t->tls_state(ssl) & RECEIVED_SHUTDOWN) == 0;
  return 0;
}

static bool begins_with(const char *line, size_t n, const char *name, size_t length) {
  return n >= length && strncasecmp(line, name, length) == 0;
}

bool transfer_tells_length(const char *line, size_t n) {
  static const char length[] = "content-length:", coding[] = "transfer-encoding:";
  return begins_with(line, n, length, sizeof length - 1) ||
         begins_with(line, n, coding, sizeof coding - 1);
}

void transfer_watch_end(transfer *t, bool http2) {
  CURL *easy = t->member.easy;
  bool has_body = !t->bodyless && t->http_status != 204 && t->http_status != 304;
  if (!t->options.is_https || t->length_told || !has_body || http2) return;
  t->tls_state = find_tls_state("SSL_get_shutdown");
  if (t->tls_state == NULL) return;
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, t);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}
