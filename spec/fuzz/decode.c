/* decode.c: fuzzes what reads a gateway's words: errors, chunks of a stream,
 * JSON. The invariants are in decode.lua; this runs it in one Lua state and
 * tells libFuzzer which lines of Lua were reached from which.
 *
 * An error that decode.lua raises is a finding. Run it from the top of the
 * checkout, where lua/ and spec/ are. Leans on Lua 5.4, lua-cjson and
 * the core in build/5.4 (retry.lua reads its clock).
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <string.h>

#include "fuzz.h"

#define COLLECT_EVERY 1000 /* executions: garbage of one should not slow down all */

EXTRA_COUNTERS;

static lua_State *state;
static uint32_t last_line;

/* Files differ in their names' last letters. */
static uint32_t file_hash(const char *name) {
  uint32_t hash = 2166136261U;
  for (; *name != '\0'; name++) hash = (hash ^ (uint8_t)*name) * 16777619U;
  return hash;
}

/* Lua keeps one copy of a file's name, at an address that stays. */
static uint32_t file_of(const char *source) {
  static struct {
    const char *source;
    uint32_t hash;
  } known[64];
  size_t slot = ((uintptr_t)source >> 4) % 64;
  if (known[slot].source != source) {
    known[slot].source = source;
    known[slot].hash = file_hash(source);
  }
  return known[slot].hash;
}

static void on_line(lua_State *L, lua_Debug *where) {
  lua_getinfo(L, "S", where);
  uint32_t line = file_of(where->source) ^ (uint32_t)where->currentline * 2654435761U;
  count(last_line ^ line);
  last_line = line >> 1;
}

static int add_traceback(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

static void check(int status) {
  if (status == LUA_OK) return;
  fprintf(stderr, "%s\n", lua_tostring(state, -1));
  demand(false, "nothing raises");
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  state = luaL_newstate();
  demand(state != NULL, "a Lua state");
  luaL_openlibs(state);
  lua_pushcfunction(state, add_traceback);
  check(luaL_dostring(state, "package.path = 'lua/?.lua;lua/?/init.lua;' .. package.path "
                             "package.cpath = 'build/5.4/?.so;' .. package.cpath"));
  check(luaL_loadfile(state, "spec/fuzz/decode.lua"));
  check(lua_pcall(state, 0, 1, 1));
  lua_sethook(state, on_line, LUA_MASKLINE, 0);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  static size_t executions;
  last_line = 0;
  lua_pushvalue(state, 2);
  lua_pushlstring(state, (const char *)bytes, n);
  check(lua_pcall(state, 1, 0, 1));
  if (++executions % COLLECT_EVERY == 0) lua_gc(state, LUA_GCCOLLECT);
  return 0;
}
