/* lcore.h: what the files of the Lua binding share.
 *
 * The binding is the only C that sees a lua_State and the only C that raises.
 * Its objects are userdata that are born closed: the block is zeroed and has
 * its metatable before anything is acquired, and one idempotent function serves
 * close, __gc and __close. No function here yields. The Lua files above it are
 * its only users: it checks types so that it cannot crash, and leaves it to
 * them to speak to people.
 */
#ifndef LLMG_LCORE_H
#define LLMG_LCORE_H

#include <stddef.h>

#include "lcompat.h"
#include "loop.h"
#include "transfer.h"
LLMG_HIDDEN_BEGIN

/* Pushes a zeroed block of `size` bytes with the metatable called `name`. */
void *lcore_new(lua_State *L, size_t size, const char *name);

/* Makes the metatable called `name`: `methods` are its __index, `close` its close, __gc and
 * __close. Leaves the table of methods on the stack. */
void lcore_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close);

/* The loop of the loop object at `i`. Raises when that is closed or inherited through fork(). */
loop *lloop_check(lua_State *L, int i);

/* Raises unless this process made the loop. */
void lloop_check_process(lua_State *L, const loop *l);

/* Pushes a transfer object that keeps the object at `keeper` alive. Raises without memory. */
transfer *ltransfer_push(lua_State *L, loop *l, int keeper);

/* Pushes the table of facts about why a transfer failed. */
void ltransfer_push_failure(lua_State *L, const transfer *t);

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

LLMG_HIDDEN_END

LUALIB_API int luaopen_llm_gateway_core(lua_State *L);

#endif
