/* lhead.c: what a program may want to know of an answer beside its body, for whoever asks: the
 * fields of its head, and how long it took. Until then they are the texts that head() and times()
 * of a transfer gave.
 */
#include "lhead.h"

#include <string.h>

/* ---- the fields of a head ---- */

static const char *skip_blanks(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t')) at++;
  return at;
}

static const char *cut_blanks(const char *at, const char *end) {
  while (end > at && strchr(" \t\r\n", end[-1]) != NULL) end--;
  return end;
}

/* The locale has no say: Turkish has another small letter for I. */
static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void push_lower(lua_State *L, const char *text, size_t n) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (size_t i = 0; i < n; i++) luaL_addchar(&b, lower(text[i]));
  luaL_pushresult(&b);
}

#define FIELDS   2 /* where the stack has them... */
#define REPEATED 3 /* ...and, of those that came more than once, lists of their values */

/* Pops a value, and the name below it: one more of the values that came under it. */
static void repeat(lua_State *L) {
  lua_pushvalue(L, -2);
  lua_rawget(L, REPEATED);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, -3);
    lua_rawget(L, FIELDS);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -2);
    lua_rawset(L, REPEATED);
  }
  lua_insert(L, -2);
  lua_rawseti(L, -2, (int)compat_rawlen(L, -2) + 1);
  lua_pop(L, 2);
}

static void add_header(lua_State *L, const char *line, const char *end) {
  const char *colon = memchr(line, ':', (size_t)(end - line));
  if (colon == NULL) return;
  const char *value = skip_blanks(colon + 1, end);
  push_lower(L, line, (size_t)(colon - line));
  lua_pushvalue(L, -1);
  lua_rawget(L, FIELDS);
  bool repeated = !lua_isnil(L, -1);
  lua_pop(L, 1);
  lua_pushlstring(L, value, (size_t)(cut_blanks(value, end) - value));
  if (repeated)
    repeat(L);
  else
    lua_rawset(L, FIELDS);
}

/* RFC 9110, 5.2: fields of one name are one list. Joined at the end, so that time is linear. */
static void join_repeated(lua_State *L) {
  for (lua_pushnil(L); lua_next(L, REPEATED) != 0;) {
    int values = lua_gettop(L), n = (int)compat_rawlen(L, values);
    luaL_Buffer b;
    lua_pushvalue(L, -2);
    luaL_buffinit(L, &b);
    for (int i = 1; i <= n; i++) {
      if (i > 1) luaL_addlstring(&b, ", ", 2);
      lua_rawgeti(L, values, i);
      luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    lua_rawset(L, FIELDS);
    lua_pop(L, 1);
  }
}

static int count_lines(const char *at, const char *end) {
  int lines = 0;
  while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) at++, lines++;
  return lines;
}

/* header_fields(head) -> a table: names are in lower case */
int lhead_fields(lua_State *L) {
  size_t n;
  const char *at = luaL_checklstring(L, 1, &n), *end = at + n;
  lua_settop(L, 1);
  lua_createtable(L, 0, count_lines(at, end));
  lua_newtable(L);
  while (at < end) {
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    const char *next = lf == NULL ? end : lf + 1;
    add_header(L, at, next);
    at = next;
  }
  join_repeated(L);
  lua_settop(L, FIELDS);
  return 1;
}

/* ---- how long it took ---- */

static void set_number(lua_State *L, const char *name, double number) {
  lua_pushnumber(L, number);
  lua_setfield(L, -2, name);
}

void lhead_push_times(lua_State *L, const transfer_timings *timings) {
  lua_pushlstring(L, (const char *)timings, sizeof *timings);
}

/* timings(times) -> {dns, connect, tls, first_byte, total (seconds), bytes} */
int lhead_timings(lua_State *L) {
  transfer_timings timings;
  size_t n;
  const char *times = luaL_checklstring(L, 1, &n);
  luaL_argcheck(L, n == sizeof timings, 1, "a transfer's times expected");
  memcpy(&timings, times, n);
  lua_createtable(L, 0, 6);
  set_number(L, "dns", timings.dns);
  set_number(L, "connect", timings.connect);
  set_number(L, "tls", timings.tls);
  set_number(L, "first_byte", timings.first_byte);
  set_number(L, "total", timings.total);
  lua_pushinteger(L, (lua_Integer)timings.bytes);
  lua_setfield(L, -2, "bytes");
  return 1;
}
