/* ljson_scratch.c: see ljson_private.h. */
#include "ljson_private.h"

#define SCRATCH "llm_gateway.core.json"

static int l_gc(lua_State *L) {
  scratch *s = lcore_check(L, 1, SCRATCH);
  json_tape_free(&s->tape);
  buffer_free(&s->text);
  buffer_free(&s->source);
  return 0;
}

static scratch *new_scratch(lua_State *L) {
  scratch *s = lcore_new(L, sizeof *s, SCRATCH);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, "llm_gateway.core.json.scratch");
  return s;
}

scratch *ljson_take_scratch(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "llm_gateway.core.json.scratch");
  scratch *s = lua_touserdata(L, -1);
  if (s->busy) {
    lua_pop(L, 1);
    s = new_scratch(L);
  }
  s->vectors = false;
  return s;
}

void ljson_leave_scratch(scratch *s) {
  s->busy = false;
  json_tape_trim(&s->tape);
  buffer_clear(&s->text);
}

void ljson_open_scratch(lua_State *L) {
  luaL_newmetatable(L, SCRATCH);
  lua_pushcfunction(L, l_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  new_scratch(L);
  lua_pop(L, 1);
}
