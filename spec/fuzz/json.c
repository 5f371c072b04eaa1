/* json.c: fuzzes what reads and writes JSON: the grammar (src/json*.c) and its
 * binding (ljson.c, lencode.c, lpartial.c), all compiled into this program. The
 * invariants are in json.lua, which holds them against lua-cjson; this gives it
 * a core that has nothing else.
 *
 * alike.c edits the same texts, and holds json_alike.c against the grammar. An
 * error that json.lua raises is a finding. Run it from the top of the
 * checkout, where lua/ and spec/ are. Leans on Lua 5.4 and lua-cjson.
 */
#include "../../src/lcore.h"

#include <lualib.h>
#include <string.h>

#include "alike.h"
#include "fuzz.h"

#define COLLECT_EVERY 1000 /* executions: garbage of one should not slow down all */

static lua_State *state;

static int open_core(lua_State *L) {
  static const luaL_Reg functions[] = {{"json_decode", ljson_decode},
                                       {"json_encoder", lencode_new},
                                       {"json_partial", lpartial_new},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  ljson_open(L);
  lencode_open(L);
  lpartial_open(L);
  return 1;
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
  luaL_requiref(state, "llm_gateway.core", open_core, 0);
  lua_settop(state, 0);
  lua_pushcfunction(state, add_traceback);
  check(luaL_dostring(state, "package.path = 'lua/?.lua;lua/?/init.lua;' .. package.path"));
  check(luaL_loadfile(state, "spec/fuzz/json.lua"));
  check(lua_pcall(state, 0, 1, 1));
  return 0;
}

/* The text of an input is behind its first byte. */
static void check_alike(const uint8_t *bytes, size_t n) {
  uint32_t number = (uint32_t)n;
  if (n < 2) return;
  for (size_t i = 0; i < n; i++) number = number * 31 + bytes[i];
  char *text = malloc(n);
  demand(text != NULL, "memory");
  memcpy(text, bytes + 1, n - 1);
  text[n - 1] = '\0';
  alike_check(text, n - 1, number);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  static size_t executions;
  lua_pushvalue(state, 2);
  lua_pushlstring(state, (const char *)bytes, n);
  check(lua_pcall(state, 1, 0, 1));
  check_alike(bytes, n);
  if (++executions % COLLECT_EVERY == 0) lua_gc(state, LUA_GCCOLLECT);
  return 0;
}
