/* transfer_private.h: the inside of a transfer, shared by transfer.c (its life
 * and its pulls) and transfer_http.c (what it tells libcurl and hears from it).
 */
#ifndef LLMG_TRANSFER_PRIVATE_H
#define LLMG_TRANSFER_PRIVATE_H

#include "transfer.h"
LLMG_HIDDEN_BEGIN

#define HIGH_WATER     ((size_t)64 * 1024) /* queued events above which a transfer pauses */
#define LOW_WATER      ((size_t)16 * 1024) /* and below which it goes on */
#define MAX_HEAD_BYTES ((size_t)256 * 1024)

struct transfer {
  loop_member member; /* first: see transfer_of_member */
  list group;
  bool connected;       /* the request could be sent */
  bool stale;           /* the kept connection it was to go out on was of no use any more */
  bool head_complete;   /* http_status and headers are set */
  bool is_event_stream; /* the answer is read as events, else as a body */
  bool paused;          /* curl keeps what the server sends */
  bool draining;        /* released: only its connection is of use */
  bool done;            /* the exchange is over */
  bool finished;        /* and the parser knows */
  transfer_failure failure;
  char curl_text[CURL_ERROR_SIZE];
  struct curl_slist *request_headers;
  buffer request_body;
  size_t body_sent; /* how much of it libcurl has taken */
  int http_status;
  buffer headers;
  buffer body;
  sse events;
  transfer_options options; /* its texts are dead once the transfer has started */
  transfer_timings timings; /* complete when done */
  int64_t started_at, active_at, event_at, drain_until;
  int64_t lent;     /* to libcurl for connecting */
  int64_t first_at; /* when the answer's first byte came, 0 before */
};

/* Tells m->easy everything about the request. Returns libcurl's complaint, or CURLE_OK. */
CURLcode transfer_set_easy(transfer *t, const transfer_options *options);

/* The next exchange of m->easy has a connection of its own. */
CURLcode transfer_set_fresh(transfer *t);

/* Notes a failure, unless there is one already: the first is the cause of the rest. */
void transfer_note_failure(transfer *t, transfer_failure_class class, const char *text);

/* Notes the failure that `code` stands for. */
void transfer_note_code(transfer *t, CURLcode code);

/* Copies from m->easy what is lost when the exchange stops. */
void transfer_read_timings(const transfer *t, transfer_timings *timings);

/* When its connection last brought bytes, as far as the system tells; else when something was made
 * of them. */
int64_t transfer_heard_at(const transfer *t, int64_t now);

/* libcurl, which counts the time of connecting too, is given so much more. */
void transfer_lend_time(transfer *t, int64_t ns);

/* The earliest of its clocks has perhaps come nearer: have the loop judge it in time. */
void transfer_wind_clocks(transfer *t);

LLMG_HIDDEN_END
#endif
