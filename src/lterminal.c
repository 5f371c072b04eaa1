/* lterminal.c: what a command line asks of the system: who is at the other end,
 * was it interrupted, and who else may read a file. The library itself uses
 * none of it.
 */
#define _POSIX_C_SOURCE 200809L
#include "lcore.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal) {
  (void)signal;
  interrupted = 1;
}

/* watch_interrupts(): from here on an interrupt (Ctrl-C) no longer ends the process. Waits of the
 * loop and reads of the terminal return early. */
int lterminal_watch_interrupts(lua_State *L) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_interrupt; /* without SA_RESTART: a read gives up */
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGINT, &action, NULL) != 0) return luaL_error(L, "SIGINT cannot be watched");
  return 0;
}

/* take_interrupt() -> whether there was one since the last call */
int lterminal_take_interrupt(lua_State *L) {
  lua_pushboolean(L, interrupted);
  interrupted = 0;
  return 1;
}

/* is_terminal(descriptor) -> whether a person may be at its other end */
int lterminal_is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* is_private(path) -> whether nobody but its owner may read the file | nil when there is none */
int lterminal_is_private(lua_State *L) {
  struct stat found;
  if (stat(luaL_checkstring(L, 1), &found) != 0) return 0;
  lua_pushboolean(L, (found.st_mode & (S_IRGRP | S_IROTH)) == 0);
  return 1;
}
