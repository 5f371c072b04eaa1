/* state.h: the Lua state of a fuzz target whose invariants are in a Lua file,
 * which returns the function that each input is given to. What that raises is a
 * finding. Leans on Lua 5.4, and on the top of the checkout being where it runs.
 */
#ifndef LLMG_FUZZ_STATE_H
#define LLMG_FUZZ_STATE_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "fuzz.h"

#define COLLECT_EVERY 1000 /* executions: garbage of one should not slow down all */

static lua_State *state;

static int add_traceback(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

static void check(int status) {
  if (status == LUA_OK) return;
  fprintf(stderr, "%s\n", lua_tostring(state, -1));
  demand(false, "nothing raises");
}

/* A state with Lua's libraries. */
static void open_state(void) {
  state = luaL_newstate();
  demand(state != NULL, "a Lua state");
  luaL_openlibs(state);
}

/* Loads the file with the invariants. */
static void load_invariants(const char *path) {
  lua_settop(state, 0);
  lua_pushcfunction(state, add_traceback);
  check(luaL_dostring(state, "package.path = 'lua/?.lua;lua/?/init.lua;?.lua;' .. package.path "
                             "package.cpath = 'build/5.4/?.so;' .. package.cpath"));
  check(luaL_loadfile(state, path));
  check(lua_pcall(state, 0, 1, 1));
}

static void give(const uint8_t *bytes, size_t n) {
  static size_t executions;
  lua_pushvalue(state, 2);
  lua_pushlstring(state, (const char *)bytes, n);
  check(lua_pcall(state, 1, 0, 1));
  if (++executions % COLLECT_EVERY == 0) lua_gc(state, LUA_GCCOLLECT);
}

#endif
