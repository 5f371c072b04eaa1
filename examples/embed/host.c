/* host.c: a program with a poll() loop of its own that embeds Lua, as an engine does.
 *
 * Two threads have a Lua state each. The module's C half is linked in and found
 * through package.preload; its Lua half is found on LUA_PATH. Each thread polls
 * the client's one descriptor beside a descriptor of its own that ticks.
 *
 *   cc -std=c11 -o host host.c ../../src/?*.c $(pkg-config --cflags --libs lua5.4 libcurl) -lpthread
 *   URL=http://localhost:8000 ./host script.lua
 */
#define _POSIX_C_SOURCE 200809L
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TICK_NS 10000000L

int luaopen_llm_gateway_core(lua_State *L);

typedef struct state {
  int number;
  const char *script;
  lua_State *L;
  int ticks;
  bool failed;
} state;

static bool failed(state *s) {
  fprintf(stderr, "state %d: %s\n", s->number, lua_tostring(s->L, -1));
  s->failed = true;
  return false;
}

/* Leaves nothing on the stack but the module, at index 1. */
static bool start(state *s) {
  luaL_openlibs(s->L);
  luaL_getsubtable(s->L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(s->L, luaopen_llm_gateway_core);
  lua_setfield(s->L, -2, "llm_gateway.core");
  lua_pop(s->L, 1);
  if (luaL_dostring(s->L, "return require 'llm_gateway'") != LUA_OK) return failed(s);
  if (luaL_dofile(s->L, s->script) != LUA_OK) return failed(s);
  lua_settop(s->L, 1);
  return true;
}

static int descriptor(state *s) {
  lua_getfield(s->L, 1, "fd");
  if (lua_pcall(s->L, 0, 1, 0) != LUA_OK) return failed(s), -1;
  int fd = (int)lua_tointeger(s->L, -1);
  lua_pop(s->L, 1);
  return fd;
}

/* llm.step(0): does what is due, without waiting. Returns whether work is pending. */
static bool step(state *s) {
  lua_getfield(s->L, 1, "step");
  lua_pushinteger(s->L, 0);
  if (lua_pcall(s->L, 1, 1, 0) != LUA_OK) return failed(s);
  bool pending = lua_toboolean(s->L, -1);
  lua_pop(s->L, 1);
  return pending;
}

static int new_ticker(void) {
  struct itimerspec every = {{0, TICK_NS}, {0, TICK_NS}};
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  timerfd_settime(fd, 0, &every, NULL);
  return fd;
}

static void tick(state *s, int fd) {
  uint64_t times;
  if (read(fd, &times, sizeof times) == (ssize_t)sizeof times) s->ticks++;
}

static void run(state *s) {
  struct pollfd fds[2] = {{descriptor(s), POLLIN, 0}, {new_ticker(), POLLIN, 0}};
  bool pending = !s->failed;
  while (pending && poll(fds, 2, -1) > 0) {
    if (fds[1].revents != 0) tick(s, fds[1].fd);
    if (fds[0].revents != 0) pending = step(s);
  }
  close(fds[1].fd);
}

static void report(state *s) {
  lua_getglobal(s->L, "words");
  printf("state %d: words: %d ticks: %d\n", s->number, (int)lua_tointeger(s->L, -1), s->ticks);
}

static void *thread(void *self) {
  state *s = self;
  s->L = luaL_newstate();
  if (s->L == NULL) {
    s->failed = true;
    return NULL;
  }
  if (start(s)) {
    run(s);
    report(s);
  }
  lua_close(s->L);
  return NULL;
}

int main(int argc, char **argv) {
  state states[2];
  pthread_t threads[2];
  memset(states, 0, sizeof states);
  for (int i = 0; i < 2; i++) {
    states[i].number = i + 1;
    states[i].script = argc > 1 ? argv[1] : "script.lua";
    pthread_create(&threads[i], NULL, thread, &states[i]);
  }
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  if (states[0].failed || states[1].failed) return 1;
  puts("both states ended");
  return 0;
}
