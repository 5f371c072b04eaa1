/* transfer_http.c: what a transfer tells libcurl, and what libcurl tells it.
 *
 * The callbacks append to buffers and stamp clocks, and do nothing else. What
 * each option means is in curl_easy_setopt(3).
 */
#define _POSIX_C_SOURCE 200809L
#ifdef __linux__
#define _DEFAULT_SOURCE /* struct tcp_info */
#endif
#include "transfer_private.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define MAX_IDLE_SECONDS 4L /* a connection kept for longer may be closing at the server's end */

/* ---- failures ---- */

typedef struct code_class {
  CURLcode code;
  transfer_failure_class class;
} code_class;

static const code_class code_classes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, FAILURE_RESOLVE},
    {CURLE_COULDNT_RESOLVE_PROXY, FAILURE_PROXY},
    {CURLE_PROXY, FAILURE_PROXY},
    {CURLE_COULDNT_CONNECT, FAILURE_CONNECT},
    {CURLE_OPERATION_TIMEDOUT, FAILURE_CONNECT_TIMEOUT},
    {CURLE_SSL_CONNECT_ERROR, FAILURE_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, FAILURE_TRUST},
    {CURLE_SSL_CERTPROBLEM, FAILURE_TRUST},
    {CURLE_SSL_CIPHER, FAILURE_TRUST},
    {CURLE_SSL_CACERT_BADFILE, FAILURE_TRUST},
    {CURLE_SSL_ISSUER_ERROR, FAILURE_TRUST},
    {CURLE_SSL_ENGINE_INITFAILED, FAILURE_TLS},
    {CURLE_USE_SSL_FAILED, FAILURE_TLS},
    {CURLE_UNSUPPORTED_PROTOCOL, FAILURE_NOT_HTTP},
    {CURLE_WEIRD_SERVER_REPLY, FAILURE_NOT_HTTP},
    {CURLE_BAD_CONTENT_ENCODING, FAILURE_NOT_HTTP},
    {CURLE_OUT_OF_MEMORY, FAILURE_INTERNAL},
    {CURLE_URL_MALFORMAT, FAILURE_INTERNAL},
    {CURLE_BAD_FUNCTION_ARGUMENT, FAILURE_INTERNAL},
    {CURLE_UNKNOWN_OPTION, FAILURE_INTERNAL},
};

/* libcurl has 100 KiB for a line of the head, and no better word for a longer one. */
static bool is_long_line(const transfer *t, CURLcode code) {
#if LIBCURL_VERSION_NUM >= 0x080600
  if (code == CURLE_TOO_LARGE) return true;
#endif
  return code == CURLE_OUT_OF_MEMORY && t->connected && !t->head_complete;
}

/* Nor for one that goes on with a line that was not there. */
static bool is_unreadable_line(const transfer *t, CURLcode code) {
  return code == CURLE_BAD_FUNCTION_ARGUMENT && t->connected;
}

static transfer_failure_class class_of(const transfer *t, CURLcode code) {
  if (is_long_line(t, code)) return FAILURE_HEAD_TOO_LARGE;
  if (is_unreadable_line(t, code)) return FAILURE_NOT_HTTP;
  if (t->failure.proxy_status >= 300 && !t->connected) return FAILURE_PROXY;
  for (size_t i = 0; i < sizeof code_classes / sizeof *code_classes; i++)
    if (code_classes[i].code == code) return code_classes[i].class;
  return FAILURE_LOST;
}

void transfer_note_failure(transfer *t, transfer_failure_class class, const char *text) {
  if (t->failure.class != FAILURE_NONE) return;
  t->failure.class = class;
  snprintf(t->failure.text, sizeof t->failure.text, "%s", text);
}

/* See on_connected. */
static const char *lost_as_it_went_out(const transfer *t) {
  return t->options.http2
             ? "the server refused the request, or closed the kept connection, as it went out"
             : "the server closed the kept connection as the request went out";
}

static const char *words_for(const transfer *t, CURLcode code) {
  if (code == CURLE_SEND_FAIL_REWIND) return lost_as_it_went_out(t);
  if (is_unreadable_line(t, code)) return "a line of its head cannot be read";
  return t->curl_text[0] != '\0' ? t->curl_text : curl_easy_strerror(code);
}

static long info_of(const transfer *t, CURLINFO info) {
  long number = 0;
  curl_easy_getinfo(t->member.easy, info, &number);
  return number;
}

/* libcurl says that it could not connect; only the system's error number says why. */
void transfer_note_code(transfer *t, CURLcode code) {
  char text[sizeof t->failure.text], why[60] = "";
  const char *words = words_for(t, code);
  int number = code == CURLE_COULDNT_CONNECT ? (int)info_of(t, CURLINFO_OS_ERRNO) : 0;
  if (code == CURLE_COULDNT_CONNECT && number == 0) number = loop_open_errno(t->member.loop);
  if (number != 0 && strerror_r(number, why, sizeof why) != 0) why[0] = '\0';
  snprintf(text, sizeof text, "%s%s%s", words, why[0] != '\0' ? ": " : "", why);
  t->failure.proxy_status = (int)info_of(t, CURLINFO_HTTP_CONNECTCODE);
  transfer_note_failure(t, class_of(t, code), text);
}

/* ---- callbacks ---- */

/* A kept connection that is closing, or brings what nobody asked for, carries no request. Nothing
 * has gone out yet: transfer.c starts the exchange anew on a connection of its own. */
static int refuse_stale(transfer *t) {
  t->stale = true;
  curl_easy_setopt(t->member.easy, CURLOPT_FORBID_REUSE, 1L);
  return CURL_PREREQFUNC_ABORT;
}

/* CURLOPT_PREREQFUNCTION: a connection is there and the request goes out. libcurl would send it
 * again, unasked, when a kept connection dies under it or an HTTP/2 server refuses it; the server
 * may have read both. */
static int on_connected(void *self, char *ip, char *local_ip, int port, int local_port) {
  transfer *t = self;
  if (t->connected) {
    transfer_note_failure(t, FAILURE_LOST, lost_as_it_went_out(t));
    return CURL_PREREQFUNC_ABORT;
  }
  bool kept = info_of(t, CURLINFO_NUM_CONNECTS) == 0;
  if (kept || t->options.http2)
    t->member.socket = loop_socket_of(t->member.loop, ip, port, local_ip, local_port);
  if (kept && loop_is_stale(t->member.socket, t->options.http2)) return refuse_stale(t);
  t->connected = true;
  t->active_at = t->event_at = clock_now();
  transfer_wind_clocks(t);
  return CURL_PREREQFUNC_OK;
}

/* CURLOPT_READFUNCTION */
static size_t on_read(char *to, size_t size, size_t count, void *self) {
  transfer *t = self;
  size_t n = size * count, left = buffer_length(&t->request_body) - t->body_sent;
  if (n > left) n = left;
  memcpy(to, buffer_bytes(&t->request_body) + t->body_sent, n);
  t->body_sent += n;
  t->active_at = clock_now();
  return n;
}

/* CURLOPT_SEEKFUNCTION: libcurl would go back to the beginning of the body, to send it again. */
static int on_seek(void *self, curl_off_t offset, int origin) {
  (void)self, (void)offset, (void)origin;
  return CURL_SEEKFUNC_FAIL;
}

static bool has_event_stream_type(CURL *easy) {
  static const char wanted[] = "text/event-stream";
  size_t n = sizeof wanted - 1;
  char *type = NULL;
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
  if (type == NULL || strncasecmp(type, wanted, n) != 0) return false;
  return strchr("; \t", type[n]) != NULL;
}

static void on_head_end(transfer *t) {
  long status = 0;
  curl_easy_getinfo(t->member.easy, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200) return; /* an interim answer: the real one follows */
  t->http_status = (int)status;
  t->head_complete = true;
  t->is_event_stream = t->options.stream && status < 300 && has_event_stream_type(t->member.easy);
  if (!t->draining) loop_ready(&t->member);
}

/* Of HTTP/2, libcurl 7.88 may have read more than it hands over, and then waits for its socket. */
static void look_for_more(transfer *t) {
  if (t->options.http2) loop_nudge(&t->member);
}

static bool is_blank(const char *line, size_t n) {
  if (n > 0 && line[n - 1] == '\n') n--;
  return n == 0 || (n == 1 && line[0] == '\r');
}

/* CURLOPT_HEADERFUNCTION, once a line; lines that come after the head are trailers. */
static size_t on_header(char *line, size_t size, size_t count, void *self) {
  transfer *t = self;
  size_t n = size * count;
  t->active_at = clock_now();
  if (t->first_at == 0) t->first_at = t->active_at;
  look_for_more(t);
  if (n >= 5 && memcmp(line, "HTTP/", 5) == 0 && !t->head_complete) {
    buffer_clear(&t->headers);
    return n;
  }
  if (is_blank(line, n)) {
    if (!t->head_complete) on_head_end(t);
    return n;
  }
  if (buffer_length(&t->headers) + n > MAX_HEAD_BYTES) {
    transfer_note_failure(t, FAILURE_HEAD_TOO_LARGE, "the answer's headers are too large");
    return 0;
  }
  if (buffer_append(&t->headers, line, n) == 0) return n;
  transfer_note_failure(t, FAILURE_INTERNAL, "not enough memory");
  return 0;
}

static size_t feed_events(transfer *t, const char *bytes, size_t n) {
  size_t queued = sse_queued(&t->events);
  if (queued > HIGH_WATER) {
    t->paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  int status = sse_feed(&t->events, bytes, n);
  if (sse_queued(&t->events) > queued) {
    t->event_at = clock_now();
    loop_ready(&t->member);
  }
  if (status == SSE_TOO_LARGE)
    transfer_note_failure(t, FAILURE_EVENT_TOO_LARGE, "an event is too large");
  if (status == SSE_NO_MEMORY) transfer_note_failure(t, FAILURE_INTERNAL, "not enough memory");
  return status == SSE_OK ? n : 0;
}

static size_t append_body(transfer *t, const char *bytes, size_t n) {
  size_t limit = t->options.max_body_bytes;
  if (limit != 0 && n > limit - buffer_length(&t->body)) {
    transfer_note_failure(t, FAILURE_BODY_TOO_LARGE, "the answer is too large");
    return 0;
  }
  if (buffer_append(&t->body, bytes, n) == 0) return n;
  transfer_note_failure(t, FAILURE_INTERNAL, "not enough memory");
  return 0;
}

/* CURLOPT_WRITEFUNCTION */
static size_t on_body(char *bytes, size_t size, size_t count, void *self) {
  transfer *t = self;
  size_t n = size * count;
  t->active_at = clock_now();
  size_t taken = n;
  if (!t->draining)
    taken = t->is_event_stream ? feed_events(t, bytes, n) : append_body(t, bytes, n);
  if (taken != n) return taken;
  t->timings.bytes += (double)n;
  look_for_more(t);
  return n;
}

/* ---- options ---- */

#define SET(option, value)                                                                         \
  do {                                                                                             \
    CURLcode code_ = curl_easy_setopt(easy, (option), (value));                                    \
    if (code_ != CURLE_OK) return code_;                                                           \
  } while (0)

static CURLcode set_callbacks(CURL *easy, transfer *t) {
  SET(CURLOPT_ERRORBUFFER, t->curl_text);
  SET(CURLOPT_PREREQFUNCTION, on_connected);
  SET(CURLOPT_PREREQDATA, t);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, t);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, t);
  SET(CURLOPT_OPENSOCKETFUNCTION, loop_open_socket);
  SET(CURLOPT_OPENSOCKETDATA, t->member.loop);
  SET(CURLOPT_CLOSESOCKETFUNCTION, loop_close_socket);
  SET(CURLOPT_CLOSESOCKETDATA, t->member.loop);
  return CURLE_OK;
}

static CURLcode set_body(CURL *easy, transfer *t) {
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)buffer_length(&t->request_body));
  SET(CURLOPT_READFUNCTION, on_read);
  SET(CURLOPT_READDATA, t);
  SET(CURLOPT_SEEKFUNCTION, on_seek);
  SET(CURLOPT_SEEKDATA, t);
  return CURLE_OK;
}

/* RFC 9110, 8.6: what expects a body says so when it has none. */
static bool expects_body(const char *method) {
  return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

static CURLcode set_method(CURL *easy, transfer *t, const transfer_options *o) {
  if (o->has_body || expects_body(o->method)) {
    CURLcode code = set_body(easy, t);
    if (code != CURLE_OK) return code;
  }
  if (strcmp(o->method, "HEAD") == 0) SET(CURLOPT_NOBODY, 1L);
  SET(CURLOPT_CUSTOMREQUEST, o->method);
  return CURLE_OK;
}

/* A stream is asked for plain, so that no event waits in a compressor; libcurl still decodes what a
 * server sends compressed all the same. */
static CURLcode set_request(CURL *easy, transfer *t, const transfer_options *o) {
  SET(CURLOPT_URL, o->url);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_ACCEPT_ENCODING, o->stream ? "identity" : "");
  if (transfer_add_header(t, "Expect:") != 0) return CURLE_OUT_OF_MEMORY;
  if (!o->has_body && transfer_add_header(t, "Content-Type:") != 0) return CURLE_OUT_OF_MEMORY;
  SET(CURLOPT_HTTPHEADER, t->request_headers);
  return set_method(easy, t, o);
}

/* Without TLS, HTTP/2 has a connection for each exchange: libcurl would also speak it on one that
 * was kept from HTTP/1.1, and 7.88 breaks one that was kept from HTTP/2 (its issue 10634). */
static CURLcode set_version(CURL *easy, const transfer_options *o) {
  if (!o->http2) {
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  } else if (o->is_https) {
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  } else {
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
    SET(CURLOPT_FRESH_CONNECT, 1L);
    SET(CURLOPT_FORBID_REUSE, 1L);
  }
  return CURLE_OK;
}

/* The transfer has clocks of its own, exact ones; libcurl's come a little later. But of a host
 * with several addresses it gives each its share of the connect timeout, and goes on to the next.
 */
static long connect_patience(const transfer_options *o, int64_t lent) {
  int64_t ms = o->connect_timeout / (CLOCK_SECOND / 1000);
  int64_t more = ms / 10 + 1 + lent / (CLOCK_SECOND / 1000);
  return o->connect_timeout == 0 || ms > INT_MAX / 2 || more > INT_MAX / 2 ? INT_MAX
                                                                           : (long)(ms + more);
}

void transfer_lend_time(transfer *t, int64_t ns) {
  t->lent += ns;
  curl_easy_setopt(t->member.easy, CURLOPT_CONNECTTIMEOUT_MS,
                   connect_patience(&t->options, t->lent));
}

static CURLcode set_network(CURL *easy, const transfer_options *o) {
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_QUICK_EXIT, 1L);
  SET(CURLOPT_CONNECTTIMEOUT_MS, connect_patience(o, 0));
  SET(CURLOPT_MAXAGE_CONN, MAX_IDLE_SECONDS);
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
  return set_version(easy, &t->options);
}

CURLcode transfer_set_easy(transfer *t, const transfer_options *options) {
  CURL *easy = t->member.easy;
  CURLcode code = set_callbacks(easy, t);
  if (code == CURLE_OK) code = set_request(easy, t, options);
  if (code == CURLE_OK) code = set_version(easy, options);
  if (code == CURLE_OK) code = set_network(easy, options);
  if (code == CURLE_OK) code = set_tls(easy, options);
  return code;
}

#ifdef __linux__
static int socket_of(const transfer *t) {
  char *ip = NULL, *local_ip = NULL;
  curl_easy_getinfo(t->member.easy, CURLINFO_PRIMARY_IP, &ip);
  curl_easy_getinfo(t->member.easy, CURLINFO_LOCAL_IP, &local_ip);
  if (ip == NULL || local_ip == NULL) return -1;
  return loop_socket_of(t->member.loop, ip, (int)info_of(t, CURLINFO_PRIMARY_PORT), local_ip,
                        (int)info_of(t, CURLINFO_LOCAL_PORT));
}
#endif

/* The connection of an HTTP/2 exchange brings those of others too. */
int64_t transfer_heard_at(const transfer *t, int64_t now) {
#ifdef __linux__
  struct tcp_info info;
  socklen_t size = sizeof info;
  int fd = t->options.http2 ? -1 : socket_of(t);
  if (fd >= 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
    return now - (int64_t)info.tcpi_last_data_recv * (CLOCK_SECOND / 1000);
#endif
  (void)now;
  return t->active_at;
}

static double seconds_of(CURL *easy, CURLINFO info) {
  curl_off_t us = 0;
  curl_easy_getinfo(easy, info, &us);
  return (double)us / 1e6;
}

static double seconds_between(int64_t from, int64_t to) {
  return (double)(to - from) / (double)CLOCK_SECOND;
}

/* libcurl's own time of the first byte is that of the first byte sent, for a POST. */
void transfer_read_timings(const transfer *t, transfer_timings *timings) {
  CURL *easy = t->member.easy;
  timings->dns = seconds_of(easy, CURLINFO_NAMELOOKUP_TIME_T);
  timings->connect = seconds_of(easy, CURLINFO_CONNECT_TIME_T);
  timings->tls = seconds_of(easy, CURLINFO_APPCONNECT_TIME_T);
  timings->first_byte = t->first_at == 0 ? 0 : seconds_between(t->started_at, t->first_at);
  timings->total = seconds_between(t->started_at, clock_now());
}
