/* lencode_private.h: what the files of the encoder share: the state of one encode. */
#ifndef LLMG_LENCODE_PRIVATE_H
#define LLMG_LENCODE_PRIVATE_H

#include "lcore.h"

#include "json_write.h"
LLMG_HIDDEN_BEGIN

#define LENCODE_MAX_DEPTH 200

/* What is being written of an open table. */
typedef struct level {
  const void *table;
  int key;    /* where the stack has its key; 0 in a list */
  int object; /* and the object that has the key */
  int item;   /* its place in a list */
} level;

typedef struct encoder {
  buffer out;
  buffer names; /* of all open objects, the innermost last */
  bool busy;    /* an encode runs, or ended in an error */
} encoder;

typedef struct writer {
  lua_State *L;
  encoder *own;
  int depth;
  char fault[128]; /* what is wrong, once writing has failed */
  level levels[LENCODE_MAX_DEPTH + 1];
} writer;

/* Whether a step of writing (JSON_OK, JSON_BAD, JSON_NO_MEMORY) went well. Raises without memory.
 */
static inline bool lencode_check(writer *w, int status) {
  if (status == JSON_NO_MEMORY) lcore_no_memory(w->L);
  return status == JSON_OK;
}

/* n bytes as they are. Returns true; raises without memory. */
static inline bool lencode_put(writer *w, const char *bytes, size_t n) {
  return lencode_check(w, json_write_raw(&w->own->out, bytes, n));
}

/* Notes what is wrong with the value. Returns false. */
bool lencode_fail(writer *w, const char *format, ...);

/* Pushes nil, what is wrong, and the path of what it is wrong with (`messages[2].content`). Returns
 * 3. */
int lencode_push_fault(writer *w);

LLMG_HIDDEN_END
#endif
