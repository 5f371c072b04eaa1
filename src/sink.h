/* sink.h: the file that an answer's body is written into as it comes.
 *
 * Opened before anything is sent, so that a path that is no good costs no
 * request; what the file held is dropped only when a good answer begins. A file
 * that is there when the exchange has failed held a part of an answer: it is
 * removed. Numbers are the system's error numbers, 0 when nothing went wrong.
 */
#ifndef LLMG_SINK_H
#define LLMG_SINK_H

#include "file.h"
LLMG_HIDDEN_BEGIN

/* A sink of zero bytes is a closed one. */
typedef struct sink {
  file file;
  char *path;
  bool is_begun; /* what the file held is gone */
} sink;

/* Opens or makes the file. Returns 0, -1 without memory, or the number. */
int sink_open(sink *s, const char *path);

/* Whether it takes bytes. */
bool sink_is_begun(const sink *s);

/* The answer is a good one, and its body follows. */
int sink_begin(sink *s);

int sink_write(sink *s, const char *bytes, size_t n);

/* The body is whole: closes the file, which stays. */
int sink_end(sink *s);

/* Closes it, and removes what is not whole or was made in vain; one that has ended stays. */
void sink_free(sink *s);

LLMG_HIDDEN_END
#endif
