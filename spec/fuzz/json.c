/* json.c: fuzzes what reads and writes JSON: the grammar (src/json*.c) and its
 * binding (ljson.c, lencode.c, lpartial.c), all compiled into this program. The
 * invariants are in json.lua, which holds them against lua-cjson; this gives it
 * a core that has nothing else.
 *
 * alike.c edits the same texts, and holds json_alike.c against the grammar.
 * Leans on state.h and lua-cjson.
 */
#include "../../src/lcore.h"

#include <string.h>

#include "alike.h"
#include "state.h"

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

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  open_state();
  luaL_requiref(state, "llm_gateway.core", open_core, 0);
  load_invariants("spec/fuzz/json.lua");
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
  give(bytes, n);
  check_alike(bytes, n);
  return 0;
}
