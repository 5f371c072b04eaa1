/* lcompat.h: what differs between Lua 5.1 (and LuaJIT), 5.2, 5.3 and 5.4, for
 * the binding. The only place that tests LUA_VERSION_NUM.
 */
#ifndef LLMG_LCOMPAT_H
#define LLMG_LCOMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#if LUA_VERSION_NUM == 501

#define compat_rawlen(L, i) lua_objlen(L, i)

/* A userdata's table of references is its environment. Both take and give tables only. */
#define compat_setuservalue(L, i) lua_setfenv(L, i)
#define compat_getuservalue(L, i) lua_getfenv(L, i)
#define compat_setfuncs(L, l, n)  luaL_openlib(L, NULL, l, n)

static inline void *compat_testudata(lua_State *L, int i, const char *name) {
  void *block = lua_touserdata(L, i);
  if (block == NULL || !lua_getmetatable(L, i)) return NULL;
  luaL_getmetatable(L, name);
  int same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? block : NULL;
}

#else

#define compat_rawlen(L, i)       lua_rawlen(L, i)
#define compat_setuservalue(L, i) lua_setuservalue(L, i)
#define compat_getuservalue(L, i) lua_getuservalue(L, i)
#define compat_setfuncs(L, l, n)  luaL_setfuncs(L, l, n)
#define compat_testudata          luaL_testudata

#endif

/* Where Lua has no integers they are numbers like any other. */
static inline void compat_pushint64(lua_State *L, int64_t n) {
#if LUA_VERSION_NUM >= 503
  if ((lua_Integer)n == n) {
    lua_pushinteger(L, (lua_Integer)n);
    return;
  }
#endif
  lua_pushnumber(L, (lua_Number)n);
}

/* Whether the number at `i` is an integer by type; then *n is it. */
static inline bool compat_toint64(lua_State *L, int i, int64_t *n) {
#if LUA_VERSION_NUM >= 503
  *n = (int64_t)lua_tointeger(L, i);
  return lua_isinteger(L, i) != 0;
#else
  (void)L, (void)i, (void)n;
  return false;
#endif
}

#endif
