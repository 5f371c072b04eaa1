/* lpeer.c: peer.h for Lua, as the module spec.peer:
 *   listen() -> listener, port            accept(listener) -> peer (a userdata) or nil
 *   read(peer) -> text, "" when nothing has come, nil at the end
 *   send(peer, text) -> whether           unread(peer) -> bytes
 *   close(peer, reset)                    unlisten(listener)
 */
#include <lauxlib.h>
#include <lua.h>
#include <unistd.h>

#include "peer.h"

int luaopen_spec_peer(lua_State *L);

static peer *check(lua_State *L) {
  luaL_checktype(L, 1, LUA_TUSERDATA);
  return lua_touserdata(L, 1);
}

static int l_listen(lua_State *L) {
  int port = 0, fd = peer_listen(&port);
  if (fd < 0) return luaL_error(L, "cannot listen");
  lua_pushinteger(L, fd);
  lua_pushinteger(L, port);
  return 2;
}

static int l_unlisten(lua_State *L) {
  close((int)luaL_checkinteger(L, 1));
  return 0;
}

static int l_accept(lua_State *L) {
  int listener = (int)luaL_checkinteger(L, 1);
  peer *p = lua_newuserdata(L, sizeof *p);
  return peer_accept(listener, p) ? 1 : 0;
}

static int l_read(lua_State *L) {
  char bytes[16384];
  long n = peer_read(check(L), bytes, sizeof bytes);
  if (n == 0) return 0;
  lua_pushlstring(L, bytes, n < 0 ? 0 : (size_t)n);
  return 1;
}

static int l_send(lua_State *L) {
  size_t n;
  const char *bytes = luaL_checklstring(L, 2, &n);
  lua_pushboolean(L, peer_send(check(L), bytes, n));
  return 1;
}

static int l_unread(lua_State *L) {
  lua_pushinteger(L, peer_unread(check(L)));
  return 1;
}

static int l_close(lua_State *L) {
  peer_close(check(L), lua_toboolean(L, 2));
  return 0;
}

static const luaL_Reg functions[] = {
    {"listen", l_listen}, {"unlisten", l_unlisten}, {"accept", l_accept}, {"read", l_read},
    {"send", l_send},     {"unread", l_unread},     {"close", l_close}};

int luaopen_spec_peer(lua_State *L) {
  lua_newtable(L);
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    lua_pushcfunction(L, functions[i].func);
    lua_setfield(L, -2, functions[i].name);
  }
  return 1;
}
