/* failure.h: why an exchange failed: the classes, their names, and what libcurl's codes mean.
 *
 * Facts only: what to tell people, and whether to try again, is for others.
 * Nothing here calls Lua or looks at a transfer. Leans on mem.h.
 */
#ifndef LLMG_FAILURE_H
#define LLMG_FAILURE_H

#include <curl/curl.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

typedef enum failure_class {
  FAILURE_NONE,
  FAILURE_RESOLVE,         /* the host's name */
  FAILURE_CONNECT,         /* nobody listens, or nobody is there */
  FAILURE_TLS,             /* the handshake broke off */
  FAILURE_TRUST,           /* a certificate: the server's refused, or one of ours that is no use */
  FAILURE_PROXY,           /* the proxy, not the server */
  FAILURE_NOT_HTTP,        /* an answer in no HTTP that is understood */
  FAILURE_LOST,            /* the connection ended before the answer did */
  FAILURE_CONNECT_TIMEOUT, /* the four clocks */
  FAILURE_SILENCE_TIMEOUT,
  FAILURE_EVENT_TIMEOUT,
  FAILURE_TOTAL_TIMEOUT,
  FAILURE_HEAD_TOO_LARGE, /* the three limits */
  FAILURE_BODY_TOO_LARGE,
  FAILURE_EVENT_TOO_LARGE,
  FAILURE_READ_FILE,  /* a file of the request */
  FAILURE_WRITE_FILE, /* the file for the answer */
  FAILURE_CLOSED,     /* by its user, or its loop is gone */
  FAILURE_INTERNAL    /* no memory, or an option libcurl refused */
} failure_class;

#define FAILURE_TEXT (CURL_ERROR_SIZE + 64) /* room for a text, its 0 included */

/* One of zero bytes is none. Few exchanges fail: only those have a text. */
typedef struct failure {
  failure_class class;
  int proxy_status; /* HTTP's, of the proxy's answer to CONNECT; 0 without one */
  char *text;       /* libcurl's words, and the system's; see failure_text */
} failure;

/* How Lua calls a class. */
typedef struct failure_name {
  const char *class;
  const char *clock; /* which clock ran out, or NULL */
  const char *limit; /* which limit was passed, or NULL */
} failure_name;

const failure_name *failure_name_of(failure_class class);

/* What a code of libcurl's stands for; FAILURE_LOST where nothing better is known. */
failure_class failure_class_of(CURLcode code);

/* Notes a failure, unless there is one already: the first is the cause of the rest. What is longer
 * than FAILURE_TEXT is cut. */
void failure_note(failure *f, failure_class class, const char *text);

/* Its words; "" if there is none. Valid until failure_free. */
const char *failure_text(const failure *f);

/* Frees what it holds; the class stays. */
void failure_free(failure *f);

LLMG_HIDDEN_END
#endif
