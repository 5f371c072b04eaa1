/* ljson_private.h: what a decode of JSON needs besides the Lua stack: an object of the Lua state,
 * so that an error frees it. */
#ifndef LLMG_LJSON_PRIVATE_H
#define LLMG_LJSON_PRIVATE_H

#include "lcore.h"

#include "json.h"
LLMG_HIDDEN_BEGIN

typedef struct scratch {
  json_tape tape;
  buffer text;   /* the one whose escapes are being read */
  buffer source; /* an event that is being read */
  bool busy;     /* a decode runs, or ended in an error */
  bool vectors;  /* see json_decode */
} scratch;

/* Pushes one that nobody uses: a finalizer may decode while a decode allocates. */
scratch *ljson_take_scratch(lua_State *L);

/* The decode has come to its end. */
void ljson_leave_scratch(scratch *s);

/* Registers the class and makes the first. */
void ljson_open_scratch(lua_State *L);

LLMG_HIDDEN_END
#endif
