/* lheaders.c: the header lines of requests: a list of texts, or an object that many requests of a
 * client share. Nobody reads one: they have keys in them.
 */
#include "lheaders.h"

#define HEADERS "llm_gateway.core.headers"

typedef struct lua_headers {
  header_lines *lines;
} lua_headers;

static int l_gc(lua_State *L) {
  lua_headers *u = lcore_check(L, 1, HEADERS);
  header_lines *lines = u->lines;
  u->lines = NULL;
  header_lines_drop(lines);
  return 0;
}

/* Adds the texts of the list at `i`. */
static void add_list(lua_State *L, int i, header_lines *lines) {
  for (int n = 1;; n++) {
    lua_rawgeti(L, i, n);
    const char *line = lua_tostring(L, -1);
    if (line == NULL) break;
    if (header_lines_add(lines, line) != 0) lcore_no_memory(L);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* header_lines(list) -> an object that send() takes in place of the list, for requests with a body
 */
int lheaders_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_headers *u = lcore_new(L, sizeof *u, HEADERS);
  u->lines = header_lines_new();
  if (u->lines == NULL) lcore_no_memory(L);
  add_list(L, 1, u->lines);
  return 1;
}

void lheaders_give(lua_State *L, int i, transfer *t) {
  const lua_headers *u = compat_testudata(L, i, HEADERS);
  if (u != NULL && u->lines != NULL) {
    transfer_use_headers(t, u->lines);
    return;
  }
  luaL_checktype(L, i, LUA_TTABLE);
  header_lines *lines = transfer_headers_to_send(t);
  if (lines == NULL) lcore_no_memory(L);
  add_list(L, i, lines);
}

void lheaders_open(lua_State *L) {
  static const luaL_Reg methods[] = {{NULL, NULL}};
  lcore_class(L, HEADERS, methods, l_gc, l_gc);
  lua_pop(L, 1);
  lcore_hide(L, HEADERS);
}
