/* host.c: a Lua whose memory runs out on demand, to see what the library makes of it.
 *
 *   host calls.lua URL [STRIDE]   a driver in Lua, which has the table `sweep`
 *   host require [STRIDE]         loads the library into a new state for every allocation that may
 * fail
 *
 * One allocator out of two fails from its Nth request on, and goes on failing: were it only the
 * Nth, Lua would collect garbage, ask again, and nothing would have been tried.
 *
 *   lua    Lua's own
 *   core   the C core's (mem.h)
 *
 * Leans on Lua 5.4 and on the library's C files, linked in; free is wrapped, to count the core's
 * blocks.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/mem.h"

typedef struct allocator {
  const char *name;
  bool armed;
  long left;     /* requests that still succeed */
  long requests; /* made since it was armed */
  long refused;
  long blocks; /* alive */
  size_t bytes;
} allocator;

static allocator lua = {.name = "lua"}, core = {.name = "core"};
static allocator *const allocators[] = {&lua, &core};

int luaopen_llm_gateway_core(lua_State *L);
void __real_free(void *block);
void __wrap_free(void *block);

/* ---- allocators ---- */

static bool grants(allocator *a) {
  if (!a->armed) return true;
  a->requests++;
  if (a->left > 0) {
    a->left--;
    return true;
  }
  a->refused++;
  return false;
}

/* To shrink a block never fails, as with any real allocator. */
static void *lua_hook(void *self, void *block, size_t old, size_t size) {
  (void)self;
  size_t had = block == NULL ? 0 : old;
  if (size == 0) {
    __real_free(block);
    lua.bytes -= had;
    return NULL;
  }
  if (size > had && !grants(&lua)) return NULL;
  void *made = realloc(block, size);
  if (made != NULL) lua.bytes += size - had;
  return made;
}

static void *core_hook(void *block, size_t size) {
  if (!grants(&core)) return NULL;
  if (block == NULL) core.blocks++;
  return realloc(block, size);
}

/* The only free in this program's own files is mem_free's. */
void __wrap_free(void *block) {
  if (block != NULL) core.blocks--;
  __real_free(block);
}

/* ---- for Lua ---- */

static allocator *check_allocator(lua_State *L, int i) {
  const char *name = luaL_checkstring(L, i);
  for (size_t k = 0; k < sizeof allocators / sizeof *allocators; k++)
    if (strcmp(allocators[k]->name, name) == 0) return allocators[k];
  luaL_argerror(L, i, "lua or core");
  return NULL;
}

static void arm(allocator *a, long n) {
  a->left = n - 1;
  a->requests = a->refused = 0;
  a->armed = true;
}

/* sweep.try(allocator, n, fn) -> how often it refused, requests, ok, what fn returned or raised */
static int l_try(lua_State *L) {
  allocator *a = check_allocator(L, 1);
  long n = (long)luaL_checkinteger(L, 2);
  lua_settop(L, 3);
  luaL_checkstack(L, 10, NULL);
  arm(a, n);
  int status = lua_pcall(L, 0, 2, 0);
  a->armed = false;
  if (status != LUA_OK) lua_pushnil(L);
  lua_pushinteger(L, a->refused);
  lua_replace(L, 1);
  lua_pushinteger(L, a->requests);
  lua_replace(L, 2);
  lua_pushboolean(L, status == LUA_OK);
  lua_insert(L, 3);
  return 5;
}

/* sweep.blocks() -> how many blocks of the C core are alive */
static int l_blocks(lua_State *L) {
  lua_pushinteger(L, core.blocks);
  return 1;
}

/* sweep.descriptors() -> how many are open */
static int l_descriptors(lua_State *L) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (folder != NULL && readdir(folder) != NULL) count++;
  if (folder != NULL) closedir(folder);
  lua_pushinteger(L, count - 3); /* ".", ".." and the folder's own */
  return 1;
}

static const luaL_Reg functions[] = {
    {"try", l_try}, {"blocks", l_blocks}, {"descriptors", l_descriptors}, {NULL, NULL}};

/* ---- states ---- */

static lua_State *new_state(void) {
  lua_State *L = lua_newstate(lua_hook, NULL);
  if (L == NULL) exit(2);
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_llm_gateway_core);
  lua_setfield(L, -2, "llm_gateway.core");
  lua_pop(L, 1);
  return L;
}

static int closed_clean(lua_State *L, const char *what, long n) {
  lua_close(L);
  if (lua.bytes == 0 && core.blocks == 0) return 0;
  fprintf(stderr, "%s, N = %ld: %zu bytes of Lua's and %ld blocks of the core's are left\n", what,
          n, lua.bytes, core.blocks);
  return 1;
}

/* Loads the library while `a` fails from its nth request on. Returns whether that refused any. */
static bool load_once(allocator *a, long n, int *faults) {
  lua_State *L = new_state();
  lua_getglobal(L, "require");
  lua_pushliteral(L, "llm_gateway");
  arm(a, n);
  int status = lua_pcall(L, 1, 0, 0);
  a->armed = false;
  bool refused = a->refused > 0;
  const char *told = status == LUA_OK ? "" : luaL_tolstring(L, -1, NULL);
  if (status != LUA_OK && (!refused || strstr(told, "memory") == NULL)) {
    fprintf(stderr, "require, %s, N = %ld: %s\n", a->name, n, told);
    ++*faults;
  }
  *faults += closed_clean(L, "require", n);
  return refused;
}

static int sweep_require(long stride) {
  int faults = 0;
  for (size_t k = 0; k < sizeof allocators / sizeof *allocators; k++) {
    long n = 1, tried = 0;
    while (load_once(allocators[k], n, &faults)) n += stride, tried++;
    printf("%-28s %-5s %6ld allocations failed\n", "require \"llm_gateway\"", allocators[k]->name,
           tried);
  }
  return faults;
}

static int run(int argc, char **argv) {
  lua_State *L = new_state();
  int status = luaL_loadfile(L, argv[1]);
  lua_pushstring(L, argc > 2 ? argv[2] : "");
  lua_pushinteger(L, argc > 3 ? atol(argv[3]) : 1);
  luaL_newlib(L, functions);
  if (status == LUA_OK) status = lua_pcall(L, 3, 0, 0);
  if (status != LUA_OK) fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  return closed_clean(L, argv[1], 0) + (status != LUA_OK);
}

int main(int argc, char **argv) {
  mem_hook = core_hook;
  if (argc < 2) return 2;
  if (strcmp(argv[1], "require") == 0) return sweep_require(argc > 2 ? atol(argv[2]) : 1) > 0;
  return run(argc, argv) > 0;
}
