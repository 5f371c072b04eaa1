/* answers.h: the load server's answers, rendered once for each path and kept.
 *
 * The first part of a path names the answer and its sizes:
 *
 *   /chat              a completion of one sentence
 *   /close             the same, and the connection is closed
 *   /big-BYTES         a completion of so many bytes of text
 *   /stream-N-BYTES    N chunks at once, with so many bytes of text each (5), between one with the
 *                      role and one with the finish_reason
 *   /slow-N            one every 50 ms, whose text is the moment at which it was sent
 *   /floats-N-D        N embeddings of D numbers
 *   /base64-N-D        the same as base64 of float32
 *   /denied            a refusal by policy
 *   /broke             a refusal for want of budget
 *
 * Leans on libc alone; knows no socket.
 */
#ifndef BENCH_ANSWERS_H
#define BENCH_ANSWERS_H

#include <stddef.h>

typedef struct piece {
  char *bytes;
  size_t n;
} piece;

typedef struct answer {
  char path[64];
  piece head;  /* the HTTP head, and a stream's first chunk */
  piece block; /* sent `times` times */
  long times;
  piece tail; /* sent last */
  long slow;  /* events to send between head and tail, one every 50 ms */
  int closes; /* whether the connection ends with it */
} answer;

/* The answer for a request's path; NULL for one that names none. Owned here. */
const answer *answer_for(const char *path);

/* An event of a slow stream as an HTTP chunk, stamped with `moment` (nanoseconds); valid until the
 * next call. */
piece answer_stamped(long long moment);

#endif
