/* lnumbers.c: lists of numbers out of a tape, filled at once.
 *
 * The only way into a table that C has goes number by number. A table constructor of Lua's takes
 * all that is on the stack, in a third of the time: so it is a function of Lua that makes the list.
 */
#include "lcore.h"

#include <string.h>

#define MAKER "llm_gateway.core.list_maker"
#define FEW   16   /* so many are as soon filled in one by one */
#define MOST  3840 /* C has room for 8000 values in each Lua, and the numbers are there twice */

/* Whether the next `n` values are numbers. */
static bool are_numbers(const json_token *next, uint32_t n) {
  while (n-- > 0) {
    json_kind kind = json_kind_of(*next);
    if (kind != JSON_DOUBLE && kind != JSON_SMALL) return false;
    next += kind == JSON_DOUBLE ? 2 : 1;
  }
  return true;
}

static const json_token *push_number(lua_State *L, const json_token *next) {
  double n;
  if (json_kind_of(*next) == JSON_SMALL) {
    compat_pushint64(L, json_small(*next));
    return next + 1;
  }
  memcpy(&n, next + 1, sizeof n);
  lua_pushnumber(L, (lua_Number)n);
  return next + 2;
}

void lnumbers_push_maker(lua_State *L, const char *key, const char *code, lua_CFunction argument) {
  lua_getfield(L, LUA_REGISTRYINDEX, key);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  if (luaL_loadbuffer(L, code, strlen(code), "=llm_gateway") != 0) lua_error(L);
  if (argument != NULL) lua_pushcfunction(L, argument);
  lua_call(L, argument != NULL, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, key);
}

bool lnumbers_push_list(lua_State *L, const json_token **next, uint32_t n) {
  const json_token *at = *next;
  if (n < FEW || n > MOST || !are_numbers(at, n)) return false;
  if (!lua_checkstack(L, 2 * (int)n + LUA_MINSTACK)) return false;
  lnumbers_push_maker(L, MAKER, "return function(...) return {...} end", NULL);
  for (uint32_t i = 0; i < n; i++) at = push_number(L, at);
  lua_call(L, (int)n, 1);
  *next = at;
  return true;
}
