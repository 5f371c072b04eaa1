/* transfer_private.h: the inside of a transfer, shared by transfer.c (its life,
 * its clocks and its pulls), transfer_options.c (what libcurl is told),
 * transfer_events.c (what libcurl tells), transfer_coding.c, transfer_files.c
 * and transfer_tls.c (codings, bodies in files, and ends that TLS has to say).
 */
#ifndef LLMG_TRANSFER_PRIVATE_H
#define LLMG_TRANSFER_PRIVATE_H

#include "sink.h"
#include "transfer.h"
LLMG_HIDDEN_BEGIN

#define HIGH_WATER ((size_t)64 * 1024) /* queued events above which a transfer pauses */
#define LOW_WATER  ((size_t)16 * 1024) /* and below which it goes on */
#define DENSE_WATER                                                                                \
  ((size_t)4 * 1024 * 1024) /* that of a stream in a dense coding, which fails                     \
                             */
#define MAX_HEAD_BYTES ((size_t)256 * 1024)
#define ONE_PIECE      ((size_t)64 * 1024) /* libcurl copies a smaller body behind the head */

/* How far it came; never back. */
typedef enum transfer_progress {
  PROGRESS_NONE,     /* nothing has gone out: no server knows of it */
  PROGRESS_SENT,     /* the request goes out, or has: the server may have read it */
  PROGRESS_ANSWERED, /* a line of an answer has come, be it an interim one's */
  PROGRESS_HEAD      /* http_status, headers and is_event_stream are the answer's */
} transfer_progress;

/* What it does now. */
typedef enum transfer_activity {
  ACTIVITY_GATHERING, /* not started: headers and body may be added */
  ACTIVITY_RUNNING,   /* libcurl drives the exchange */
  ACTIVITY_PAUSED,    /* libcurl keeps what the server sends until more events were pulled */
  ACTIVITY_DRAINING,  /* released: only its connection is of use */
  ACTIVITY_OVER,      /* the exchange has ended; what came can be pulled */
  ACTIVITY_PULLED     /* and the parser has been told that nothing follows */
} transfer_activity;

typedef int transfer_tls_state(const void *ssl); /* OpenSSL's SSL_get_shutdown, SSL_pending */

struct transfer {
  loop_member member; /* first: see transfer_of_member */
  list group;
  transfer_progress progress;    /* changed by transfer_reach alone */
  transfer_activity activity;    /* changed by transfer_turn alone */
  bool stale;                    /* nothing went out: the kept connection was of no use any more */
  bool kept;                     /* the connection had served before */
  bool lost_unanswered;          /* see transfer_was_lost_unanswered */
  bool not_processed;            /* the server has said that it did nothing with the request */
  bool bodyless;                 /* HEAD: an answer has no body, whatever its head says */
  bool length_told;              /* the answer's head says how its end is known */
  bool end_unsaid;               /* it ends with its TLS connection, which has not said so */
  bool is_event_stream;          /* the answer is read as events, else as a body */
  bool is_dense;                 /* a few of its bytes may become very many */
  bool undecided;                /* its type says no, but its first bytes have not come */
  size_t blank;                  /* bytes of blank lines that the body begins with */
  transfer_tls_state *tls_state; /* set while end_unsaid is kept */
  uint32_t stream_id;            /* HTTP/2's, where libcurl tells it; else 0 */
  failure failure;
  char curl_text[CURL_ERROR_SIZE];
  header_lines *lines; /* of the request, or NULL */
  request_url *url;    /* its URL taken apart, or NULL */
  buffer request_body;
  form *form;       /* in place of request_body; or NULL */
  sink sink;        /* where the body of a good answer goes, if it was opened */
  size_t body_sent; /* how much of it libcurl has taken */
  int http_status;
  size_t head_lines; /* of the head that is being read, its status line included */
  size_t head_bytes; /* of all heads and the trailers */
  buffer headers;
  buffer body;
  sse events;
  transfer_options options; /* its texts are dead once the transfer has started */
  transfer_timings timings; /* complete when it is over */
  int64_t started_at, active_at, event_at, drain_until;
  int64_t event_limit; /* see transfer_limit_events; 0: none */
  int64_t sent_at;     /* when the last byte of the request was taken */
  int64_t first_at;    /* when the answer's first line came, 0 before */
  int64_t lent;        /* to libcurl for connecting */
};

/* The one way to a new progress or activity. */
void transfer_reach(transfer *t, transfer_progress progress);
void transfer_turn(transfer *t, transfer_activity activity);

/* Whether libcurl has the exchange. */
bool transfer_is_under_way(const transfer *t);

/* Tells m->easy everything about the request. Returns libcurl's complaint, or CURLE_OK. */
CURLcode transfer_set_easy(transfer *t);

/* The next exchange of m->easy has a connection of its own. */
CURLcode transfer_set_fresh(transfer *t);

/* libcurl, which counts the time of connecting too, is given so much more. */
void transfer_extend_connect_timeout(transfer *t, int64_t ns);

/* What a header line says, if it is a Content-Encoding. */
typedef enum transfer_coding {
  CODING_PLAIN,
  CODING_DENSE,  /* a few bytes may become very many: see transfer_coding.c */
  CODING_FOREIGN /* libcurl cannot take it off */
} transfer_coding;

transfer_coding transfer_coding_of(const char *line, size_t n);

/* What transfer_options.c has libcurl call; curl_easy_setopt(3) says when. */
int transfer_on_request(void *self, char *ip, char *local_ip, int port, int local_port);
curl_socket_t transfer_on_open(void *self, curlsocktype purpose, struct curl_sockaddr *address);
int transfer_on_close(void *all_sockets, curl_socket_t fd);
size_t transfer_on_read(char *to, size_t size, size_t count, void *self);
int transfer_on_seek(void *self, curl_off_t offset, int origin);
size_t transfer_on_header(char *line, size_t size, size_t count, void *self);
size_t transfer_on_body(char *bytes, size_t size, size_t count, void *self);

/* Notes a failure, unless there is one already. */
void transfer_note_failure(transfer *t, failure_class class, const char *text);

/* Notes the failure that `code` stands for. */
void transfer_note_code(transfer *t, CURLcode code);

/* transfer_files.c: the answer's head says that its body is to be written; some of it; all of it
 * came. Failures are noted; the second returns what CURLOPT_WRITEFUNCTION does. */
void transfer_begin_file(transfer *t);
size_t transfer_write_file(transfer *t, const char *bytes, size_t n);
void transfer_end_file(transfer *t);

/* transfer_tls.c: whether a header line says how the body's end is known; and, once the head is
 * there, has end_unsaid kept, from when on it is right as the exchange ends. `http2`: whether that
 * is spoken, and not what was asked for. */
bool transfer_tells_length(const char *line, size_t n);
void transfer_watch_end(transfer *t, bool http2);

/* Whether TLS keeps bytes of the connection that nobody has read. */
bool transfer_tls_holds_bytes(CURL *easy);

/* transfer_http2.c: has libcurl tell what an HTTP/2 server will not act on; and whether the request
 * is of that kind, for sure. */
CURLcode transfer_hear_http2(transfer *t);
bool transfer_was_turned_away(const transfer *t);

/* Copies from m->easy what is lost when the exchange stops. */
void transfer_read_timings(const transfer *t, transfer_timings *timings);

/* When its connection last brought bytes, as far as the system tells; else when something was made
 * of them. */
int64_t transfer_heard_at(const transfer *t, int64_t now);

/* The earliest of its clocks has perhaps come nearer: have the loop check it in time. */
void transfer_arm_deadline(transfer *t);

LLMG_HIDDEN_END
#endif
