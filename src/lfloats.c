/* lfloats.c: embeddings as base64: float32 numbers as Lua numbers. */
#include "lcore.h"

#include <string.h>

#define BAD             ((uint32_t)1 << 24) /* above the 3 bytes of a group */
#define BLOCK           16                  /* characters for 12 bytes, which are whole floats */
#define FLOATS_IN_BLOCK 3
#define MOST_ON_STACK   6144        /* numbers: C has room for 8000 values in each Lua */
#define PIECE           (BLOCK * 4) /* characters of what is longer: room for their numbers is sure */
#define MAKER           "llm_gateway.core.float_list_maker"

/* What a character of base64 stands for (RFC 4648, sections 4 and 5), BAD for any other. */
static const uint32_t sextets[256] = {
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, 62,  BAD, 62,  BAD, 63,  52,  53,  54,  55,  56,  57,  58,  59,  60,
    61,  BAD, BAD, BAD, BAD, BAD, BAD, BAD, 0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   10,
    11,  12,  13,  14,  15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25,  BAD, BAD, BAD, BAD,
    63,  BAD, 26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,  39,  40,  41,  42,
    43,  44,  45,  46,  47,  48,  49,  50,  51,  BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
};

/* The 3 bytes of 4 characters; BAD or more where one is no base64. */
static inline uint64_t group(const unsigned char *text) {
  return (uint64_t)sextets[text[0]] << 18 | (uint64_t)sextets[text[1]] << 12 |
         (uint64_t)sextets[text[2]] << 6 | sextets[text[3]];
}

static inline uint32_t swapped(uint32_t n) {
  return n >> 24 | (n >> 8 & 0xFF00) | (n << 8 & 0xFF0000) | n << 24;
}

/* IEEE 754 from four bytes, of which the first is the highest of `bits` and the lowest of the
 * float. */
static inline lua_Number float_of(uint64_t bits) {
  uint32_t ordered = swapped((uint32_t)bits);
  float value;
  memcpy(&value, &ordered, sizeof value);
  return (lua_Number)value;
}

/* The floats of a block; false where it is no base64. */
static inline bool decode_block(const unsigned char *text, lua_Number out[FLOATS_IN_BLOCK]) {
  uint64_t a = group(text), b = group(text + 4), c = group(text + 8), d = group(text + 12);
  if ((a | b | c | d) >= BAD) return false;
  out[0] = float_of(a << 8 | b >> 16);
  out[1] = float_of(b << 16 | c >> 8);
  out[2] = float_of(c << 24 | d);
  return true;
}

static bool push_block(lua_State *L, const unsigned char *text, size_t count) {
  lua_Number floats[FLOATS_IN_BLOCK];
  if (!decode_block(text, floats)) return false;
  for (size_t i = 0; i < count; i++) lua_pushnumber(L, floats[i]);
  return true;
}

/* Pushes the floats of n characters. Returns whether they were base64. */
static bool push_floats(lua_State *L, const unsigned char *text, size_t n) {
  unsigned char last[BLOCK];
  for (; n >= BLOCK; text += BLOCK, n -= BLOCK)
    if (!push_block(L, text, FLOATS_IN_BLOCK)) return false;
  if (n == 0) return true;
  memset(last, 'A', sizeof last);
  memcpy(last, text, n);
  return push_block(L, last, n * FLOATS_IN_BLOCK / BLOCK);
}

/* (text, n) -> the floats of n characters | false */
static int l_numbers(lua_State *L) {
  const unsigned char *text = lua_touserdata(L, 1);
  size_t n = (size_t)lua_tonumber(L, 2);
  if (lua_checkstack(L, (int)(n * FLOATS_IN_BLOCK / BLOCK) + LUA_MINSTACK) &&
      push_floats(L, text, n))
    return lua_gettop(L) - 2;
  lua_pushboolean(L, 0);
  return 1;
}

/* A constructor of Lua's fills the list at once, in half the time of one that C fills number by
 * number. Pushes it, or {false}. */
static void make_list(lua_State *L, const char *text, size_t n) {
  lnumbers_push_maker(
      L, MAKER, "local numbers = ... return function(...) return {numbers(...)} end", l_numbers);
  lua_pushlightuserdata(L, (void *)(uintptr_t)text);
  lua_pushnumber(L, (lua_Number)n);
  lua_call(L, 2, 1);
}

/* Pushes the same of very many floats, which the stack has no room for. */
static void fill_list(lua_State *L, const char *text, size_t n) {
  int count = 0, table = lua_gettop(L) + 1;
  lua_createtable(L, (int)(n * FLOATS_IN_BLOCK / BLOCK), 0);
  for (size_t size; n > 0; text += size, n -= size) {
    size = n < PIECE ? n : PIECE;
    if (!push_floats(L, (const unsigned char *)text, size)) {
      lua_settop(L, table);
      lua_pushboolean(L, 0);
      lua_rawseti(L, table, 1);
      return;
    }
    int more = lua_gettop(L) - table;
    for (int i = count + more; i > count; i--) lua_rawseti(L, table, i);
    count += more;
  }
}

bool lfloats_push(lua_State *L, const char *text, size_t n) {
  while (n > 0 && text[n - 1] == '=') n--;
  if (n % 4 == 1 || n * 3 / 4 % 4 != 0 || !lua_checkstack(L, LUA_MINSTACK)) return false;
  bool on_stack = n * FLOATS_IN_BLOCK / BLOCK <= MOST_ON_STACK;
  if (on_stack)
    make_list(L, text, n);
  else
    fill_list(L, text, n);
  lua_rawgeti(L, -1, 1);
  bool failed = lua_isboolean(L, -1);
  lua_pop(L, failed ? 2 : 1);
  return !failed;
}

/* floats(text) -> list of the numbers that a base64 text of float32 holds (RFC 4648), as
 * embeddings of encoding_format "base64" do | nil when it is something else */
int lfloats_decode(lua_State *L) {
  size_t n;
  const char *text = luaL_checklstring(L, 1, &n);
  if (!lfloats_push(L, text, n)) lua_pushnil(L);
  return 1;
}
