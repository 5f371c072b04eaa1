/* transfer_options.c: what a transfer tells libcurl before its exchange starts. What each option
 * means is in curl_easy_setopt(3).
 */
#define _POSIX_C_SOURCE 200809L
#include "transfer_private.h"

#include <limits.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "clock.h"
#include "loop_idle.h"

#define KEEPALIVE_SECONDS 45L          /* routers forget connections that are silent for minutes */
#define BODY_READ         (16 * 1024L) /* bytes that libcurl reads at once */
/* It decodes all that it has read, paused or not, and a compressed stream may grow a thousandfold.
 * Before 8.8 each exchange has a buffer of its own, for as long as it lasts: thousands of streams
 * may be open, most of which bring an event now and then. A fast one takes an eighth longer. */
#define STREAM_READ (LIBCURL_VERSION_NUM >= 0x080800 ? 4 * 1024L : 1024L)

#define SET(option, value)                                                                         \
  do {                                                                                             \
    CURLcode code_ = curl_easy_setopt(easy, (option), (value));                                    \
    if (code_ != CURLE_OK) return code_;                                                           \
  } while (0)

/* ---- what is given before the start ---- */

header_lines *transfer_headers_to_send(transfer *t) {
  if (t->lines == NULL) t->lines = header_lines_new();
  return t->lines;
}

void transfer_use_headers(transfer *t, header_lines *lines) {
  header_lines_drop(t->lines);
  t->lines = header_lines_share(lines);
}

void transfer_use_url(transfer *t, request_url *url) {
  request_url_drop(t->url);
  t->url = request_url_share(url);
}

int transfer_add_header(transfer *t, const char *line) {
  header_lines *lines = transfer_headers_to_send(t);
  return lines == NULL ? -1 : header_lines_add(lines, line);
}

/* ---- the options ---- */

static CURLcode set_callbacks(CURL *easy, transfer *t) {
  SET(CURLOPT_ERRORBUFFER, t->curl_text);
  SET(CURLOPT_PREREQFUNCTION, transfer_on_request);
  SET(CURLOPT_PREREQDATA, t);
  SET(CURLOPT_HEADERFUNCTION, transfer_on_header);
  SET(CURLOPT_HEADERDATA, t);
  SET(CURLOPT_WRITEFUNCTION, transfer_on_body);
  SET(CURLOPT_WRITEDATA, t);
  SET(CURLOPT_OPENSOCKETFUNCTION, transfer_on_open);
  SET(CURLOPT_OPENSOCKETDATA, t);
  SET(CURLOPT_CLOSESOCKETFUNCTION, transfer_on_close);
  SET(CURLOPT_CLOSESOCKETDATA, loop_sockets(t->member.loop));
  return CURLE_OK;
}

/* A body that fits goes out with the head in one piece. Of a larger one each piece is asked for, so
 * that sending it is no silence. */
static CURLcode set_body(CURL *easy, transfer *t) {
  if (t->form != NULL) return curl_easy_setopt(easy, CURLOPT_MIMEPOST, form_mime(t->form));
  size_t n = buffer_length(&t->request_body);
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
  if (n < ONE_PIECE) {
    SET(CURLOPT_POSTFIELDS, buffer_bytes(&t->request_body));
    return CURLE_OK;
  }
  SET(CURLOPT_READFUNCTION, transfer_on_read);
  SET(CURLOPT_READDATA, t);
  SET(CURLOPT_SEEKFUNCTION, transfer_on_seek);
  SET(CURLOPT_SEEKDATA, t);
  return CURLE_OK;
}

/* RFC 9110, 8.6: what expects a body says so when it has none. */
static bool expects_body(const char *method) {
  return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

static CURLcode set_method(CURL *easy, transfer *t, const transfer_options *o) {
  if (o->has_body || t->form != NULL || expects_body(o->method)) {
    CURLcode code = set_body(easy, t);
    if (code != CURLE_OK) return code;
  }
  t->bodyless = strcmp(o->method, "HEAD") == 0;
  if (t->bodyless) SET(CURLOPT_NOBODY, 1L);
  if (strcmp(o->method, "POST") != 0) SET(CURLOPT_CUSTOMREQUEST, o->method);
  return CURLE_OK;
}

static CURLcode set_protocols(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500 /* 7.85 */
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/* A stream is asked for plain, so that no event waits in a compressor; libcurl still decodes what a
 * server sends compressed all the same. Whoever writes Accept-Encoding: identity has the body as it
 * came, whatever Content-Encoding it has: libcurl 8 refuses an unknown one before
 * transfer_on_header hears of it. The URL is told as text beside its parts: of parts alone libcurl
 * prints the text anew for each exchange. */
static CURLcode set_request(CURL *easy, transfer *t, const transfer_options *o) {
  SET(CURLOPT_URL, o->url);
  if (t->url != NULL) SET(CURLOPT_CURLU, request_url_parts(t->url));
  SET(CURLOPT_PATH_AS_IS, 1L);
  CURLcode code = set_protocols(easy);
  if (code != CURLE_OK) return code;
  header_lines *lines = transfer_headers_to_send(t);
  if (lines == NULL) return CURLE_OUT_OF_MEMORY;
  if (!o->has_body && t->form == NULL && header_lines_add(lines, "Content-Type:") != 0)
    return CURLE_OUT_OF_MEMORY;
  if (header_lines_end(lines, "Expect:") != 0) return CURLE_OUT_OF_MEMORY;
  if (!header_lines_want_no_coding(lines))
    SET(CURLOPT_ACCEPT_ENCODING, o->stream ? "identity" : "");
  SET(CURLOPT_HTTPHEADER, header_lines_list(lines));
  return set_method(easy, t, o);
}

/* Before 7.83.1 libcurl's connections do not differ in their TLS options: see set_tls. */
#define TLS_MIXES_VERSIONS (LIBCURL_VERSION_NUM < 0x075301)

/* Without TLS, HTTP/2 has a connection for each exchange: libcurl would also speak it on one that
 * was kept from HTTP/1.1, and 7.88 breaks one that was kept from HTTP/2 (its issue 10634). */
static CURLcode set_version(CURL *easy, transfer *t) {
  const transfer_options *o = &t->options;
  if (!o->http2) {
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return CURLE_OK;
  }
  CURLcode code = transfer_hear_http2(t);
  if (code != CURLE_OK) return code;
  SET(CURLOPT_HTTP_VERSION,
      (long)(o->is_https ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE));
  if (!o->is_https || TLS_MIXES_VERSIONS) {
    SET(CURLOPT_FRESH_CONNECT, 1L);
    SET(CURLOPT_FORBID_REUSE, 1L);
  }
  return CURLE_OK;
}

/* The transfer has clocks of its own, exact ones; libcurl's come a little later. But of a host
 * with several addresses it gives each its share of the connect timeout, and goes on to the next.
 */
static long connect_patience(const transfer_options *o, int64_t lent) {
  int64_t ms = o->connect_timeout / (ONE_SECOND / 1000);
  int64_t more = ms / 10 + 1 + lent / (ONE_SECOND / 1000);
  return o->connect_timeout == 0 || ms > INT_MAX / 2 || more > INT_MAX / 2 ? INT_MAX
                                                                           : (long)(ms + more);
}

void transfer_extend_connect_timeout(transfer *t, int64_t ns) {
  t->lent += ns;
  curl_easy_setopt(t->member.easy, CURLOPT_CONNECTTIMEOUT_MS,
                   connect_patience(&t->options, t->lent));
}

/* A name lookup that hangs is left to its thread. Before libcurl 7.87 whoever closes its call waits
 * for it. */
static CURLcode set_quick_exit(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L);
#else
  (void)easy;
#endif
  return CURLE_OK;
}

static CURLcode set_network(CURL *easy, const transfer_options *o) {
  SET(CURLOPT_BUFFERSIZE, o->stream && !o->http2 ? STREAM_READ : BODY_READ);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_CONNECTTIMEOUT_MS, connect_patience(o, 0));
  SET(CURLOPT_MAXAGE_CONN, MAX_IDLE_SECONDS);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_SECONDS);
  SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_SECONDS);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (o->proxy == NULL) return CURLE_OK;
  SET(CURLOPT_PROXY, o->proxy);
  SET(CURLOPT_NOPROXY, ""); /* what was asked for wins over the environment's no_proxy */
  return CURLE_OK;
}

/* libcurl keeps a parsed store of authorities for later connections only when it comes from a file
 * alone; with a directory too it reads the whole bundle again each time. */
static CURLcode set_authorities(CURL *easy, const transfer_options *o) {
  const char *bundle = o->ca_file;
  if (bundle == NULL && o->ca_path == NULL) {
    bundle = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (bundle != NULL && access(bundle, R_OK) != 0) {
      SET(CURLOPT_CAINFO, NULL);
      return CURLE_OK;
    }
  }
  if (bundle == NULL && o->ca_path == NULL) return CURLE_OK;
  SET(CURLOPT_CAINFO, bundle);
  CURLcode code = curl_easy_setopt(easy, CURLOPT_CAPATH, o->ca_path);
  if (code == CURLE_NOT_BUILT_IN && o->ca_path == NULL) return CURLE_OK; /* nothing to unset */
  return code;
}

static CURLcode set_tls(CURL *easy, const transfer_options *o) {
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  /* Means nothing from TLS 1.2 up, but libcurl shares no connection between those that differ in
   * it: 7.88 would mix up HTTP/2 with connections kept from HTTP/1.1, and answers with them. */
  if (o->http2) SET(CURLOPT_SSL_OPTIONS, (long)CURLSSLOPT_ALLOW_BEAST);
  SET(CURLOPT_SSL_VERIFYPEER, o->insecure ? 0L : 1L);
  SET(CURLOPT_SSL_VERIFYHOST, o->insecure ? 0L : 2L);
  if (o->client_cert != NULL) SET(CURLOPT_SSLCERT, o->client_cert);
  if (o->client_key != NULL) SET(CURLOPT_SSLKEY, o->client_key);
  return o->insecure ? CURLE_OK : set_authorities(easy, o);
}

CURLcode transfer_set_fresh(transfer *t) {
  CURL *easy = t->member.easy;
  SET(CURLOPT_FRESH_CONNECT, 1L);
  SET(CURLOPT_FORBID_REUSE, 0L);
  return set_version(easy, t);
}

CURLcode transfer_set_easy(transfer *t) {
  const transfer_options *options = &t->options;
  CURL *easy = t->member.easy;
  CURLcode code = set_callbacks(easy, t);
  if (code == CURLE_OK) code = set_request(easy, t, options);
  if (code == CURLE_OK && options->fresh) code = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  if (code == CURLE_OK) code = set_version(easy, t);
  if (code == CURLE_OK) code = set_network(easy, options);
  if (code == CURLE_OK) code = set_quick_exit(easy);
  if (code == CURLE_OK && options->is_https) code = set_tls(easy, options);
  return code;
}
