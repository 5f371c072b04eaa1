/* lfloats.c: embeddings as base64: float32 numbers as a Lua list. */
#include "lcore.h"

#include <string.h>

#define BAD         0x80
#define GROUP       4 /* characters for 3 bytes */
#define FLOAT_BYTES 4

/* What a character of base64 stands for (RFC 4648, sections 4 and 5), BAD for any other. */
static const unsigned char sextets[256] = {
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

/* The bytes of a group of `n` characters, 2 to 4; false where one is no base64. */
static bool decode_group(const unsigned char *text, size_t n, unsigned char *out) {
  unsigned a = sextets[text[0]], b = sextets[text[1]];
  unsigned c = n > 2 ? sextets[text[2]] : 0, d = n > 3 ? sextets[text[3]] : 0;
  uint32_t bits = a << 18 | b << 12 | c << 6 | d;
  out[0] = (unsigned char)(bits >> 16);
  out[1] = (unsigned char)(bits >> 8);
  out[2] = (unsigned char)bits;
  return ((a | b | c | d) & BAD) == 0;
}

/* Little-endian IEEE 754, whatever the machine's own order. */
static lua_Number float_at(const unsigned char *bytes) {
  uint32_t bits = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                  (uint32_t)bytes[3] << 24;
  float value;
  memcpy(&value, &bits, sizeof value);
  return (lua_Number)value;
}

/* Decodes into the table on top of the stack. Returns whether the text was whole floats. */
static bool decode_floats(lua_State *L, const unsigned char *text, size_t n) {
  unsigned char bytes[FLOAT_BYTES - 1 + 3]; /* less than a float from before, and a group's */
  size_t held = 0;
  int count = 0;
  if (n % GROUP == 1) return false;
  for (size_t at = 0; at < n; at += GROUP) {
    size_t size = n - at < GROUP ? n - at : GROUP;
    if (!decode_group(text + at, size, bytes + held)) return false;
    held += size - 1;
    if (held < FLOAT_BYTES) continue;
    lua_pushnumber(L, float_at(bytes));
    lua_rawseti(L, -2, ++count);
    held -= FLOAT_BYTES;
    memmove(bytes, bytes + FLOAT_BYTES, 2); /* at most 2 are left */
  }
  return held == 0;
}

/* floats(text) -> list of the numbers that a base64 text of float32 holds (RFC 4648), as
 * embeddings of encoding_format "base64" do | nil when it is something else */
int lfloats_decode(lua_State *L) {
  size_t n;
  const char *text = luaL_checklstring(L, 1, &n);
  while (n > 0 && text[n - 1] == '=') n--;
  lua_createtable(L, (int)(n * 3 / 16), 0);
  if (!decode_floats(L, (const unsigned char *)text, n)) lua_pushnil(L);
  return 1;
}
