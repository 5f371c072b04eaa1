/* transfer.h: one HTTP exchange in a loop.
 *
 * A transfer is made, given its headers and body, started, and then pulled:
 * its head, its events (when the answer is an event stream and that was asked
 * for) or its body. Each pull says what it has, that there is nothing yet, that
 * the end is reached, or that the exchange failed; facts only, the meaning is
 * for others. While its events are not pulled a transfer pauses, so that an
 * unread stream costs bounded memory.
 *
 *   transfer *t = transfer_new(loop);
 *   transfer_add_header(t, "Content-Type: application/json");
 *   transfer_start(t, &options);
 *   while ((status = transfer_next(t, &event, &unfinished)) == TRANSFER_WAIT) loop_step(loop, ...);
 *   transfer_free(t);
 *
 * A transfer belongs to whoever made it and must be freed by them, before or
 * after its loop. Nothing here calls Lua, raises, prints or exits.
 */
#ifndef LLMG_TRANSFER_H
#define LLMG_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "failure.h"
#include "form.h"
#include "header_lines.h"
#include "list.h"
#include "loop.h"
#include "request_url.h"
#include "sse.h"
LLMG_HIDDEN_BEGIN

typedef struct transfer transfer;

/* What a pull found. */
typedef enum transfer_status {
  TRANSFER_READY, /* what was asked for */
  TRANSFER_WAIT,  /* nothing yet: step the loop */
  TRANSFER_END,   /* the exchange has ended, and all of it was pulled */
  TRANSFER_FAILED /* see transfer_failure_of; the same again however often it is asked */
} transfer_status;

/* What to do; texts are copied by transfer_start. Durations are in nanoseconds, 0 for no limit;
 * so are sizes, in bytes. NULL stands for libcurl's default. */
typedef struct transfer_options {
  const char *method; /* upper case */
  const char *url;
  bool has_body;           /* send what transfer_add_body gathered, perhaps nothing */
  bool stream;             /* read a 2xx as events if its type or its first bytes say so */
  bool http2;              /* HTTP/2 (without TLS: by prior knowledge); else HTTP/1.1 */
  bool fresh;              /* on no connection that was kept */
  bool is_https;           /* set by transfer_start */
  bool insecure;           /* do not verify the server's certificate */
  int64_t connect_timeout; /* until the request can be sent */
  int64_t timeout;         /* longest silence after that */
  int64_t event_timeout;   /* longest time without an event */
  int64_t total_timeout;   /* all of it */
  bool tell_progress;      /* loop_ready whenever something went out or came */
  size_t max_body_bytes;   /* decoded */
  size_t max_event_bytes;
  const char *proxy; /* "" for none at all */
  const char *ca_file, *ca_path;
  const char *client_cert, *client_key;
} transfer_options;

/* Seconds since the start; 0 for what was not needed (on a kept connection, or without TLS) or has
 * not happened. */
typedef struct transfer_timings {
  double dns, connect, tls, first_byte, total;
  double bytes; /* of body, decoded */
} transfer_timings;

/* A transfer that has not started, or NULL when there is no memory. */
transfer *transfer_new(loop *l);

/* The header lines of this request alone, to be filled; made when they are first asked for. NULL
 * without memory. */
header_lines *transfer_headers_to_send(transfer *t);

/* The request, which has a body, has these header lines, of which the transfer becomes a user. */
void transfer_use_headers(transfer *t, header_lines *lines);

/* The request goes to this URL, which is that of its options; the transfer becomes a user of it. */
void transfer_use_url(transfer *t, request_url *url);

/* Adds a header line to those of this request alone. Returns 0 or -1 without memory. */
int transfer_add_header(transfer *t, const char *line);

/* Adds to the request's body. Returns 0 or -1 without memory. */
int transfer_add_body(transfer *t, const char *bytes, size_t n);

/* The form that is sent in place of a body, to be filled; made when it is first asked for. NULL
 * without memory. */
form *transfer_form(transfer *t);

/* The body of a 2xx is written into a file, which stays only if it came whole (see sink.h). Returns
 * 0, -1 without memory, or the system's error number. */
int transfer_write_into(transfer *t, const char *path);

/* Sends the request. Returns 0, or -1 and the transfer has failed (see transfer_failure_of). */
int transfer_start(transfer *t, const transfer_options *options);

/* Closes the connection at once; unless it was complete the transfer has failed with
 * FAILURE_CLOSED. Allowed at any time. */
void transfer_close(transfer *t);

/* Ends and frees; NULL is allowed. An unfinished connection closes. */
void transfer_free(transfer *t);

/* Frees too, but lets the answer's last bytes (those after an event that said "done") arrive for a
 * moment, so that the connection can be used again. The caller's pointer is dead. */
void transfer_release(transfer *t);

/* ---- what came ---- */

/* READY once the answer's status and headers are here, and it is known whether it is events. */
transfer_status transfer_head(const transfer *t);

/* HTTP's status, 0 before transfer_head is READY. */
int transfer_http_status(const transfer *t);

/* The header lines as received, each with its CRLF, without the status line and trailers. Valid
 * until the loop is next stepped. */
const buffer *transfer_headers(const transfer *t);

/* Moves them into `into`, in place of what that held; the caller frees it. */
void transfer_take_headers(transfer *t, buffer *into);

/* Whether the answer is read as events (known once transfer_head is READY). */
bool transfer_is_event_stream(const transfer *t);

/* READY with the next event, whose texts stay valid until the next call on the transfer or the
 * loop. `*unfinished` says that the answer ended before the event's blank line. */
transfer_status transfer_next(transfer *t, sse_event *event, bool *unfinished);

/* Whether an event is there that transfer_next would be READY with; then *event is it, which stays
 * to be pulled. False also for some that are (very large ones, the last of an answer without its
 * blank line). */
bool transfer_peek(transfer *t, sse_event *event);

/* Whether transfer_next would WAIT. */
bool transfer_waits(const transfer *t);

/* The event that transfer_peek showed is not wanted any more: another follows. */
void transfer_drop(transfer *t);

/* From now on the next event, or the end, has to come within `ns` of the last event; else the
 * transfer fails with FAILURE_EVENT_TIMEOUT. A stricter event_timeout stays. 0: no longer. */
void transfer_limit_events(transfer *t, int64_t ns);

/* READY with the whole body once it is complete; it stays valid until it is taken. */
transfer_status transfer_body(const transfer *t, const buffer **body);

/* Moves the body, as far as it has come, into `into`, in place of what that held; the caller frees
 * it. */
void transfer_take_body(transfer *t, buffer *into);

/* Why it failed; class FAILURE_NONE if it did not. */
const failure *transfer_failure_of(const transfer *t);

/* Whether the request was sent, so that the server may have read it. */
bool transfer_was_sent(const transfer *t);

/* Whether it failed because a kept connection was lost within a second of sending, before any byte
 * of an answer: servers close such connections while a request is under way to them. */
bool transfer_was_lost_unanswered(const transfer *t);

/* Whether an HTTP/2 server has said that it did nothing with the request (RFC 9113, 8.7). */
bool transfer_was_not_processed(const transfer *t);

/* Whether the exchange has ended, well or not. */
bool transfer_is_over(const transfer *t);

/* How long its parts took, so far. */
void transfer_get_timings(const transfer *t, transfer_timings *timings);

/* How much of the request's body went out, of how much, and how much of the answer's came. */
typedef struct transfer_progress_bytes {
  uint64_t sent, to_send, received;
} transfer_progress_bytes;

transfer_progress_bytes transfer_get_progress(const transfer *t);

/* The loop's view, for the ready queue; m->owner is the caller's to set. */
loop_member *transfer_member(transfer *t);
transfer *transfer_of_member(loop_member *m);

/* Puts the transfer into a list of the caller's, which it leaves when it is freed. */
void transfer_join_group(transfer *t, list *group);

/* Closes every transfer of a group, those that only drain included. */
void transfer_close_group(list *group);

LLMG_HIDDEN_END
#endif
