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

void lcore_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close,
                 lua_CFunction gc) {
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, close);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  compat_setfuncs(L, methods);
  lua_pushcfunction(L, close);
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
