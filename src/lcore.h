/* lcore.h: what the files of the Lua binding share.
 *
 * The binding is the only C that sees a lua_State and the only C that raises.
 * Its objects are userdata that are born closed: the block is zeroed and has
 * its metatable before anything is acquired, and one idempotent function serves
 * close and __close, and __gc where that has no more to free. Whenever Lua
 * allocates, a finalizer of the program's may run and close any object: what is
 * read from one must be looked up, or have been copied, after that. No function
 * here yields. The Lua files above it are its only users: it checks types so
 * that it cannot crash, and leaves it to them to speak to people.
 */
#ifndef LLMG_LCORE_H
#define LLMG_LCORE_H

#include <stddef.h>

#include "lcompat.h"
#include "json_alike.h"
#include "loop.h"
#include "transfer.h"
LLMG_HIDDEN_BEGIN

/* Pushes a zeroed block of `size` bytes with the metatable called `name`. */
void *lcore_new(lua_State *L, size_t size, const char *name);

/* Raises what Lua itself raises without memory (loop/state.lua knows it by its words). */
int lcore_no_memory(lua_State *L);

/* The block of the object of the class called `name` at `i`; raises for anything else. It is quick
 * in a method of that class, whose upvalue is the metatable: no name is looked up. */
void *lcore_check(lua_State *L, int i, const char *name);

/* Makes the metatable called `name`: `methods` are its __index, `close` its close and __close, `gc`
 * its __gc. Each has it as its upvalue. Leaves the table of methods on the stack. */
void lcore_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close,
                 lua_CFunction gc);

/* Bytes that are being pushed. A finalizer that runs meanwhile may close their object, or pull from
 * it again: so each push has a place of its own, which only its end or that of the object frees. An
 * object holds the first place; one of zero bytes is free. */
typedef struct lcore_place {
  buffer bytes;
  bool taken;
  struct lcore_place *next;
} lcore_place;

/* Takes a place of the object whose first is given. Raises without memory. */
lcore_place *lcore_take_place(lua_State *L, lcore_place *first);

/* Copies bytes to a place, which it takes. Raises without memory. */
lcore_place *lcore_keep(lua_State *L, lcore_place *first, const char *bytes, size_t n);

/* The same for an event's texts, which point there afterwards. */
lcore_place *lcore_keep_event(lua_State *L, lcore_place *first, sse_event *event);

/* What was there is pushed: the place is free again. */
void lcore_leave_place(lcore_place *place);

/* A text that is being copied, and is pushed from its copy. A short one lies on the C stack, where
 * neither a finalizer nor an error gets at it; a longer one has a place. */
typedef struct lcore_copy {
  buffer text;
  lcore_place *place;
  char room[256];
} lcore_copy;

/* Where up to `n` bytes of the copy go. Raises without memory. */
buffer *lcore_open_copy(lua_State *L, lcore_place *first, lcore_copy *c, size_t n);

/* Pushes the copy and leaves it. */
void lcore_push_copy(lua_State *L, lcore_copy *c);

/* The copy is not needed any more. */
void lcore_leave_copy(lcore_copy *c);

/* Frees an object's places, for its __gc, which nobody else may call: see lcore_hide. */
void lcore_free_places(lcore_place *first);

/* Nobody gets at the metatable called `name`, nor so at its __gc. */
void lcore_hide(lua_State *L, const char *name);

/* The loop of the loop object at `i`. Raises when that is closed or inherited through fork(). */
loop *lloop_check(lua_State *L, int i);

/* Raises unless this process made the loop. */
void lloop_check_process(lua_State *L, const loop *l);

/* Pushes a transfer object, of the loop object at `owner`, that keeps the object at `keeper` alive.
 * Raises when the loop is closed, and without memory. */
transfer *ltransfer_push(lua_State *L, int owner, int keeper);

/* Pushes the table of facts about why a transfer failed. */
void ltransfer_push_failure(lua_State *L, const transfer *t);

/* Gives the table on top the mark of an empty list, or object (see ljson.c). */
void lcore_mark_list(lua_State *L);
void lcore_mark_object(lua_State *L);

/* Pushes an event as transfer:chunk() returns it: a table or text, its name, and halves or a fault.
 * Its data is in *kept afterwards, in place of what was there. Returns 3. */
int ljson_push_event(lua_State *L, const sse_event *event, buffer *kept);

/* Pushes a list of the texts on a tape, each at its token's place from 1 on. */
void ljson_push_texts(lua_State *L, const json_tape *tape, const char *text);

/* Pushes a list of the numbers that the next `n` values of a tape are, and moves *next behind them.
 * Returns false, and has pushed nothing, when they are something else, few or very many. */
bool lnumbers_push_list(lua_State *L, const json_token **next, uint32_t n);

/* Pushes the function that a chunk of Lua returns, whose argument is `argument` (or nothing, for
 * NULL). It is made once in each Lua state and kept under `key`. Raises without memory. */
void lnumbers_push_maker(lua_State *L, const char *key, const char *code, lua_CFunction argument);

/* Pushes a list of the float32 numbers that n characters of base64 hold. Returns false, and has
 * pushed nothing, when they are something else. */
bool lfloats_push(lua_State *L, const char *text, size_t n);

/* A value whose texts are there already. Nothing of it may change while the value is pushed. */
typedef struct ljson_shape {
  const json_tape *tape;
  const char *text;      /* the one that the tape is of */
  int texts;             /* where on the stack ljson_push_texts' list is, and behind it... */
  const json_hole *open; /* ...those that stand in place of these */
  size_t holes;
} ljson_shape;

/* Pushes the value of a shape. */
void ljson_push_shape(lua_State *L, const ljson_shape *shape);

/* Adds to a transfer what the request table at `request` has: `multipart`, a list of parts {name,
 * data or path, filename, type}, and `into`, the path of the file for the answer. Returns 0, or 2
 * and has pushed nil and a table of facts. */
int lform_add(lua_State *L, int request, transfer *t);

/* Each registers its class and leaves what lcore.c puts into the module on the stack. */
void lloop_open(lua_State *L);
void lclient_open(lua_State *L);
void ltransfer_open(lua_State *L);
void lsse_open(lua_State *L);

int lloop_new(lua_State *L);
int lclient_new(lua_State *L);
int lclient_config(lua_State *L);
int lclient_send(lua_State *L);
int lsse_new(lua_State *L);
int ljson_decode(lua_State *L);
int lencode_new(lua_State *L);
int lpartial_new(lua_State *L);
int lfloats_decode(lua_State *L);

/* Puts null, the marks of empty lists and objects, and JSON_EXACT as json_exact into the module,
 * which is on top of the stack. */
void ljson_open(lua_State *L);

void lencode_open(lua_State *L);
void lpartial_open(lua_State *L);

int lterminal_watch_interrupts(lua_State *L);
int lterminal_take_interrupt(lua_State *L);
int lterminal_is_terminal(lua_State *L);
int lterminal_is_private(lua_State *L);

LLMG_HIDDEN_END

LLMG_EXPORT int luaopen_llm_gateway_core(lua_State *L);

#endif
