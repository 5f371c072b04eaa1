/* transfer_events.c: what libcurl tells a transfer: its callbacks, its codes and its figures.
 *
 * The callbacks append to buffers, note states and stamp clocks, and do
 * nothing else: none of them calls Lua.
 */
#define _POSIX_C_SOURCE 200809L
#include "transfer_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "platform.h"

#define LOST_AT_ONCE        ONE_SECOND /* after sending: see transfer_was_lost_unanswered */
#define NOT_PROCESSED_WORDS "the server refused to process the request"

/* ---- failures ---- */

/* libcurl has 100 KiB for a line of the head, and no better word for a longer one. */
static bool is_long_line(const transfer *t, CURLcode code) {
  bool too_large = code == CURLE_OUT_OF_MEMORY;
#if LIBCURL_VERSION_NUM >= 0x080600
  too_large = too_large || code == CURLE_TOO_LARGE;
#endif
  return too_large && t->progress > PROGRESS_NONE && t->progress < PROGRESS_HEAD;
}

/* Nor for one that goes on with a line that was not there. */
static bool is_unreadable_line(const transfer *t, CURLcode code) {
  return code == CURLE_BAD_FUNCTION_ARGUMENT && t->progress > PROGRESS_NONE;
}

/* Or for more in one burst than it keeps for a transfer that is paused, 64 MiB. */
static bool is_large_burst(const transfer *t, CURLcode code) {
  return t->activity == ACTIVITY_PAUSED && failure_class_of(code) == FAILURE_INTERNAL;
}

/* What kept libcurl from connecting once more is not what ended a call that had gone out. */
static bool is_vain_repeat(const transfer *t, failure_class class) {
  return t->progress > PROGRESS_NONE &&
         (class == FAILURE_RESOLVE || class == FAILURE_CONNECT || class == FAILURE_CONNECT_TIMEOUT);
}

static failure_class class_of(const transfer *t, CURLcode code) {
  failure_class class = failure_class_of(code);
  if (is_long_line(t, code)) return FAILURE_HEAD_TOO_LARGE;
  if (is_unreadable_line(t, code)) return FAILURE_NOT_HTTP;
  if (is_large_burst(t, code)) return FAILURE_LOST;
  if (t->failure.proxy_status >= 300 && t->progress == PROGRESS_NONE) return FAILURE_PROXY;
  return is_vain_repeat(t, class) ? FAILURE_LOST : class;
}

static const char *words_for(const transfer *t, CURLcode code) {
  if (t->not_processed) return NOT_PROCESSED_WORDS;
  if (is_unreadable_line(t, code)) return "a line of its head cannot be read";
  if (is_large_burst(t, code))
    return "over 64 MiB came at once while nothing was read, more than libcurl keeps";
  return t->curl_text[0] != '\0' ? t->curl_text : curl_easy_strerror(code);
}

static long info_of(const transfer *t, CURLINFO info) {
  long number = 0;
  curl_easy_getinfo(t->member.easy, info, &number);
  return number;
}

static bool is_unanswered(const transfer *t) {
  return t->kept && t->progress == PROGRESS_SENT && !socket_has_brought(&t->member.connection) &&
         clock_now() - t->sent_at < LOST_AT_ONCE;
}

void transfer_note_failure(transfer *t, failure_class class, const char *text) {
  if (t->failure.class != FAILURE_NONE) return;
  t->lost_unanswered = class == FAILURE_LOST && is_unanswered(t);
  failure_note(&t->failure, class, text);
}

/* libcurl says that it could not connect; only the system's error number says why. */
void transfer_note_code(transfer *t, CURLcode code) {
  char text[FAILURE_TEXT], why[60] = "";
  if (transfer_was_turned_away(t)) t->not_processed = true;
  const char *words = words_for(t, code);
  int number = code == CURLE_COULDNT_CONNECT ? (int)info_of(t, CURLINFO_OS_ERRNO) : 0;
  if (code == CURLE_COULDNT_CONNECT && number == 0)
    number = loop_sockets(t->member.loop)->open_errno;
  if (number != 0) platform_error_text(number, why, sizeof why);
  snprintf(text, sizeof text, "%s%s%s", words, why[0] != '\0' ? ": " : "", why);
  t->failure.proxy_status = (int)info_of(t, CURLINFO_HTTP_CONNECTCODE);
  transfer_note_failure(t, class_of(t, code), text);
  if (code == CURLE_HTTP2_STREAM) t->lost_unanswered = false; /* that is an answer */
}

/* ---- the request ---- */

/* A socket whose ends are not known any more was reset. */
static bool is_stale(const transfer *t, const open_socket *socket) {
  if (socket == NULL) return true;
  bool http2 = t->options.http2 && !socket_has_http1(socket); /* TLS may have settled on less */
  if (!http2 && t->options.is_https && transfer_tls_holds_bytes(t->member.easy)) return true;
  return socket_is_stale(socket_descriptor(socket), http2);
}

/* A kept connection that is closing, or brings what nobody asked for, carries no request. Nothing
 * has gone out yet: transfer.c starts the exchange anew on a connection of its own. */
static int refuse_stale(transfer *t) {
  t->stale = true;
  curl_easy_setopt(t->member.easy, CURLOPT_FORBID_REUSE, 1L);
  return CURL_PREREQFUNC_ABORT;
}

/* libcurl would send a request again, unasked, when a kept connection dies under it; the server may
 * have read both. On a new connection it would do so only where an HTTP/2 server has said that it
 * did nothing with the request (RFC 9113, 8.7). */
static void refuse_repeat(transfer *t) {
  t->not_processed = t->options.http2 && (!t->kept || transfer_was_turned_away(t));
  transfer_note_failure(t, FAILURE_LOST,
                        t->not_processed
                            ? NOT_PROCESSED_WORDS
                            : "the server closed the kept connection as the request went out");
}

/* CURLOPT_PREREQFUNCTION: a connection is there and the request goes out. */
int transfer_on_request(void *self, char *ip, char *local_ip, int port, int local_port) {
  transfer *t = self;
  socket_ends ends = {ip, local_ip, port, local_port};
  if (t->progress >= PROGRESS_SENT) {
    refuse_repeat(t);
    return CURL_PREREQFUNC_ABORT;
  }
  open_socket *socket = sockets_find(loop_sockets(t->member.loop), &ends);
  t->kept = info_of(t, CURLINFO_NUM_CONNECTS) == 0;
  if (t->kept && is_stale(t, socket)) return refuse_stale(t);
  socket_hold(&t->member.connection, socket, t->kept && !t->options.http2 && !t->options.is_https);
  transfer_reach(t, PROGRESS_SENT);
  t->sent_at = t->active_at = t->event_at = clock_now();
  transfer_arm_deadline(t);
  return CURL_PREREQFUNC_OK;
}

/* CURLOPT_OPENSOCKETFUNCTION */
curl_socket_t transfer_on_open(void *self, curlsocktype purpose, struct curl_sockaddr *address) {
  transfer *t = self;
  (void)purpose;
  if (t->progress == PROGRESS_NONE) return sockets_open(loop_sockets(t->member.loop), address);
  refuse_repeat(t);
  return CURL_SOCKET_BAD;
}

/* CURLOPT_CLOSESOCKETFUNCTION: the socket may outlive the transfer that opened it. */
int transfer_on_close(void *all_sockets, curl_socket_t fd) {
  return sockets_close(all_sockets, fd);
}

/* CURLOPT_READFUNCTION */
size_t transfer_on_read(char *to, size_t size, size_t count, void *self) {
  transfer *t = self;
  size_t n = size * count, left = buffer_length(&t->request_body) - t->body_sent;
  if (n > left) n = left;
  memcpy(to, buffer_bytes(&t->request_body) + t->body_sent, n);
  t->body_sent += n;
  t->sent_at = t->active_at = clock_now();
  return n;
}

/* CURLOPT_SEEKFUNCTION: back to the beginning of the body, to send it again. */
int transfer_on_seek(void *self, curl_off_t offset, int origin) {
  (void)offset, (void)origin;
  refuse_repeat(self);
  return CURL_SEEKFUNC_FAIL;
}

/* ---- the head ---- */

static bool has_event_stream_type(CURL *easy) {
  static const char wanted[] = "text/event-stream";
  size_t n = sizeof wanted - 1;
  char *type = NULL;
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
  if (type == NULL || strncasecmp(type, wanted, n) != 0) return false;
  return strchr("; \t", type[n]) != NULL;
}

/* Whether libcurl has sent the body, or has a copy of what is left of it. */
static bool is_body_sent(const transfer *t) {
  curl_off_t sent = 0;
  size_t n = buffer_length(&t->request_body);
  if (n >= ONE_PIECE) return t->body_sent == n;
  curl_easy_getinfo(t->member.easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  return sent >= (curl_off_t)n;
}

/* A stream may be open for long, and what was asked may be large. Nothing is ever sent again. */
static void drop_request_body(transfer *t) {
  if (!t->is_event_stream || t->options.tell_progress || !is_body_sent(t)) return;
  if (buffer_length(&t->request_body) < ONE_PIECE)
    curl_easy_setopt(t->member.easy, CURLOPT_POSTFIELDS, "");
  buffer_free(&t->request_body);
  t->body_sent = 0;
}

static void on_head_end(transfer *t) {
  long status = info_of(t, CURLINFO_RESPONSE_CODE);
  bool http2 = info_of(t, CURLINFO_HTTP_VERSION) == CURL_HTTP_VERSION_2_0;
  t->head_lines = 0;
  if (!http2) socket_note_http1(&t->member.connection);
  if (status < 200) return; /* an interim answer: the real one follows */
  t->http_status = (int)status;
  bool asked = t->options.stream && status < 300;
  t->is_event_stream = asked && has_event_stream_type(t->member.easy);
  t->undecided = asked && !t->is_event_stream;
  transfer_reach(t, PROGRESS_HEAD);
  transfer_watch_end(t, http2);
  drop_request_body(t);
  transfer_begin_file(t);
  /* A server that failed may close without saying so, under the next request. */
  if (status >= 500 && !http2) curl_easy_setopt(t->member.easy, CURLOPT_FORBID_REUSE, 1L);
  if (t->activity != ACTIVITY_DRAINING && !t->undecided) loop_ready(&t->member);
}

/* Of HTTP/2, libcurl 7.88 may have read more than it hands over, and then waits for its socket. */
static void look_for_more(transfer *t) {
  if (t->options.http2) loop_reread(&t->member);
}

static bool is_blank(const char *line, size_t n) {
  if (n > 0 && line[n - 1] == '\n') n--;
  return n == 0 || (n == 1 && line[0] == '\r');
}

/* The first line of each head is its status line, whatever later ones look like. */
static bool keep_line(transfer *t, const char *line, size_t n) {
  if (t->head_lines++ == 0) {
    buffer_clear(&t->headers);
    t->length_told = false;
    return true;
  }
  transfer_coding coding = transfer_coding_of(line, n);
  if (coding == CODING_DENSE) t->is_dense = true;
  if (coding == CODING_FOREIGN) curl_easy_setopt(t->member.easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  if (transfer_tells_length(line, n)) t->length_told = true;
  if (buffer_append(&t->headers, line, n) == 0) return true;
  transfer_note_failure(t, FAILURE_INTERNAL, "not enough memory");
  return false;
}

/* CURLOPT_HEADERFUNCTION, once a line; lines that come after the head are trailers, which say
 * nothing that is asked for here. */
size_t transfer_on_header(char *line, size_t size, size_t count, void *self) {
  transfer *t = self;
  size_t n = size * count;
  t->active_at = clock_now();
  if (t->progress < PROGRESS_ANSWERED) transfer_reach(t, PROGRESS_ANSWERED);
  if (t->first_at == 0) t->first_at = t->active_at;
  look_for_more(t);
  if (t->head_bytes + n > MAX_HEAD_BYTES) {
    transfer_note_failure(t, FAILURE_HEAD_TOO_LARGE, "the answer's headers are too large");
    return 0;
  }
  t->head_bytes += t->head_lines == 0 && t->progress < PROGRESS_HEAD ? 0 : n;
  if (t->progress == PROGRESS_HEAD) return n;
  if (!is_blank(line, n)) return keep_line(t, line, n) ? n : 0;
  on_head_end(t);
  return n;
}

/* ---- the body ---- */

/* libcurl decodes all that it has read, and keeps that of a transfer that is paused: of a dense
 * coding up to 64 MiB. Such a stream, which nobody asks for, is read on instead, within limits. */
static size_t hold_back(transfer *t) {
  if (!t->is_dense) {
    transfer_turn(t, ACTIVITY_PAUSED);
    return CURL_WRITEFUNC_PAUSE;
  }
  transfer_note_failure(t, FAILURE_LOST,
                        "over 4 MiB of compressed events came while nothing was read");
  return 0;
}

static size_t feed_events(transfer *t, const char *bytes, size_t n) {
  size_t queued = sse_queued(&t->events), said = t->events.said;
  if (queued > (t->is_dense ? DENSE_WATER : HIGH_WATER)) return hold_back(t);
  int status = sse_feed(&t->events, bytes, n);
  if (t->events.said != said) t->event_at = clock_now();
  if (sse_queued(&t->events) > queued) loop_ready(&t->member);
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

/* Gateways send events under other types, or none: the first bytes tell. */
static size_t decide(transfer *t, size_t n) {
  size_t length = buffer_length(&t->body);
  sse_sign sign = sse_recognise(buffer_bytes(&t->body), length, &t->blank);
  if (sign == SSE_UNSURE) return n;
  t->undecided = false;
  loop_ready(&t->member);
  if (sign == SSE_NO_EVENTS) return n;
  t->is_event_stream = true;
  bool is_fed = feed_events(t, buffer_bytes(&t->body), length) == length;
  buffer_free(&t->body);
  return is_fed ? n : 0;
}

static size_t take_body(transfer *t, const char *bytes, size_t n) {
  if (t->is_event_stream) return feed_events(t, bytes, n);
  if (sink_is_begun(&t->sink)) return transfer_write_file(t, bytes, n);
  size_t taken = append_body(t, bytes, n);
  return t->undecided && taken == n ? decide(t, n) : taken;
}

/* CURLOPT_WRITEFUNCTION */
size_t transfer_on_body(char *bytes, size_t size, size_t count, void *self) {
  transfer *t = self;
  size_t n = size * count;
  t->active_at = clock_now();
  size_t taken = t->activity == ACTIVITY_DRAINING ? n : take_body(t, bytes, n);
  if (taken != n) return taken;
  t->timings.bytes += (double)n;
  look_for_more(t);
  return n;
}

/* ---- figures ---- */

/* The connection of an HTTP/2 exchange brings those of others too. */
int64_t transfer_heard_at(const transfer *t, int64_t now) {
  const open_socket *socket = t->options.http2 ? NULL : t->member.connection.socket;
  int64_t silence = socket == NULL ? -1 : socket_silence(socket_descriptor(socket));
  return silence < 0 ? t->active_at : now - silence;
}

static double seconds_of(CURL *easy, CURLINFO info) {
  curl_off_t us = 0;
  curl_easy_getinfo(easy, info, &us);
  return (double)us / 1e6;
}

static double seconds_between(int64_t from, int64_t to) {
  return (double)(to - from) / (double)ONE_SECOND;
}

/* libcurl's own time of the first byte is that of the first byte sent, for a POST, and it tells
 * some microseconds of a lookup where the connection was kept and nothing was looked up. */
void transfer_read_timings(const transfer *t, transfer_timings *timings) {
  CURL *easy = t->member.easy;
  timings->dns = t->kept ? 0 : seconds_of(easy, CURLINFO_NAMELOOKUP_TIME_T);
  timings->connect = seconds_of(easy, CURLINFO_CONNECT_TIME_T);
  timings->tls = seconds_of(easy, CURLINFO_APPCONNECT_TIME_T);
  timings->first_byte = t->first_at == 0 ? 0 : seconds_between(t->started_at, t->first_at);
  timings->total = seconds_between(t->started_at, clock_now());
}
