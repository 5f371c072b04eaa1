/* lclass.c: how the classes of userdata are made; see lcore.h. */
#include "lcore.h"

#include <string.h>

int lcore_no_memory(lua_State *L) {
  return luaL_error(L, "not enough memory");
}

void *lcore_new(lua_State *L, size_t size, const char *name) {
  void *block = lua_newuserdata(L, size);
  memset(block, 0, size);
  luaL_getmetatable(L, name);
  lua_setmetatable(L, -2);
  return block;
}

void *lcore_check(lua_State *L, int i, const char *name) {
  void *block = lua_touserdata(L, i);
  if (block != NULL && lua_getmetatable(L, i)) {
    bool same = lua_rawequal(L, -1, lua_upvalueindex(1));
    lua_pop(L, 1);
    if (same) return block;
  }
  return luaL_checkudata(L, i, name);
}

void lcore_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close,
                 lua_CFunction gc) {
  const luaL_Reg events[] = {{"__close", close}, {"__gc", gc}, {NULL, NULL}};
  luaL_newmetatable(L, name);
  lua_pushvalue(L, -1);
  compat_setfuncs(L, events, 1);
  lua_newtable(L);
  lua_pushvalue(L, -2);
  compat_setfuncs(L, methods, 1);
  lua_getfield(L, -2, "__close");
  lua_setfield(L, -2, "close");
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__index");
  lua_remove(L, -2);
}

void lcore_hide(lua_State *L, const char *name) {
  luaL_getmetatable(L, name);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
