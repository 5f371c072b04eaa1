/* decode.c: fuzzes what reads a gateway's words: errors, chunks of a stream,
 * JSON. The invariants are in decode.lua; this runs it in one Lua state and
 * tells libFuzzer which lines of Lua were reached from which.
 *
 * Leans on state.h, lua-cjson and the core in build/5.4 (retry.lua reads its
 * clock).
 */
#include "state.h"

EXTRA_COUNTERS;

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

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  open_state();
  load_invariants("spec/fuzz/decode.lua");
  lua_sethook(state, on_line, LUA_MASKLINE, 0);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  last_line = 0;
  give(bytes, n);
  return 0;
}
