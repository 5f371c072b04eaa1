/* lterminal.c: what a command line asks of the system: who is at the other end,
 * was it interrupted, and who else may read a file. The library itself uses
 * none of it.
 */
#include "lcore.h"
#include "platform.h"

/* watch_interrupts(): from here on an interrupt (Ctrl-C) no longer ends the process. Waits of the
 * loop and reads of the terminal return early. */
int lterminal_watch_interrupts(lua_State *L) {
  if (platform_watch_interrupts() != 0) return luaL_error(L, "SIGINT cannot be watched");
  return 0;
}

/* take_interrupt() -> whether there was one since the last call */
int lterminal_take_interrupt(lua_State *L) {
  lua_pushboolean(L, platform_take_interrupt());
  return 1;
}

/* is_terminal(descriptor) -> whether a person may be at its other end */
int lterminal_is_terminal(lua_State *L) {
  lua_pushboolean(L, platform_is_terminal((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* is_private(path) -> whether nobody but its owner may read the file | nil when there is none */
int lterminal_is_private(lua_State *L) {
  int private = platform_is_private(luaL_checkstring(L, 1));
  if (private < 0) return 0;
  lua_pushboolean(L, private);
  return 1;
}
