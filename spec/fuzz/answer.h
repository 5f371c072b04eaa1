/* answer.h: a naive reading of an HTTP/1 answer, to hold a real one against.
 *
 * It knows only what is written by the book: of anything else it says
 * ANSWER_UNKNOWN. Leans on buffer.h.
 */
#ifndef LLMG_FUZZ_ANSWER_H
#define LLMG_FUZZ_ANSWER_H

#include "../../src/buffer.h"

#include <stdbool.h>

typedef enum verdict {
  ANSWER_UNKNOWN,    /* not by the book */
  ANSWER_INCOMPLETE, /* something is missing: it must not pass for a whole one */
  ANSWER_COMPLETE
} verdict;

typedef struct answer {
  int status;
  bool has_length, chunked, closes; /* closes: the end of the connection is the end of the body */
  bool is_event_stream;             /* by its type */
  size_t length;
  buffer body;
} answer;

/* Reads the `n` bytes that a server sent to one request. ended: it closed the connection in good
 * order; bodiless: the request was a HEAD. The caller frees a->body. */
verdict answer_read(answer *a, const char *bytes, size_t n, bool ended, bool bodiless);

#endif
