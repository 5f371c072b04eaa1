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

/* RFC 9110, 5.2: fields of one name are one list. The table is on top of the stack. */
static void add_header(lua_State *L, const char *line, const char *end) {
  const char *colon = memchr(line, ':', (size_t)(end - line));
  if (colon == NULL) return;
  const char *value = skip_blanks(colon + 1, end);
  push_lower(L, line, (size_t)(colon - line));
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  bool repeated = !lua_isnil(L, -1);
  if (repeated) lua_pushliteral(L, ", ");
  lua_pushlstring(L, value, (size_t)(cut_blanks(value, end) - value));
  if (repeated) lua_concat(L, 3);
  if (!repeated) lua_remove(L, -2);
  lua_rawset(L, -3);
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
  lua_createtable(L, 0, count_lines(at, end));
  while (at < end) {
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    const char *next = lf == NULL ? end : lf + 1;
    add_header(L, at, next);
    at = next;
  }
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
