/* lloop.c: the loop object: loop.h for the Lua above it. Durations are in seconds. */
#include "lcore.h"

#include "clock.h"

#define LOOP "llm_gateway.core.loop"

typedef struct lua_loop {
  loop *loop; /* NULL when there is none */
  bool closed;
} lua_loop;

static loop *check(lua_State *L) {
  return lloop_check(L, 1);
}

void lloop_check_process(lua_State *L, const loop *l) {
  if (l != NULL && !loop_is_ours(l))
    luaL_error(L, "this loop belongs to the process that forked this one: make a new one "
                  "(llm.new_loop) after fork");
}

static loop *check_open(lua_State *L, int i) {
  lua_loop *u = lcore_check(L, i, LOOP);
  if (u->loop == NULL || u->closed) luaL_error(L, "the loop is closed");
  return u->loop;
}

loop *lloop_check(lua_State *L, int i) {
  loop *l = check_open(L, i);
  lloop_check_process(L, l);
  return l;
}

static int64_t opt_duration(lua_State *L, int i) {
  return lua_isnoneornil(L, i) ? CLOCK_NEVER : clock_from_seconds(luaL_checknumber(L, i));
}

/* loop() -> loop object | nil, message */
int lloop_new(lua_State *L) {
  lua_loop *u = lcore_new(L, sizeof *u, LOOP);
  u->loop = loop_new();
  if (u->loop != NULL) return 1;
  lua_pushnil(L);
  lua_pushliteral(L, "no memory or no file descriptor left for a loop");
  return 2;
}

static int l_gc(lua_State *L) {
  lua_loop *u = lcore_check(L, 1, LOOP);
  loop *l = u->loop;
  u->loop = NULL;
  loop_free(l);
  return 0;
}

/* loop:close(watched): closes all connections; the descriptor too, unless a host has yet to hear of
 * it. */
static int l_close(lua_State *L) {
  lua_loop *u = lcore_check(L, 1, LOOP);
  if (!lua_toboolean(L, 2)) return l_gc(L);
  if (u->loop != NULL && !u->closed) loop_close(u->loop);
  u->closed = true;
  return 0;
}

/* loop:is_open() */
static int l_is_open(lua_State *L) {
  const lua_loop *u = lcore_check(L, 1, LOOP);
  lua_pushboolean(L, u->loop != NULL && !u->closed);
  return 1;
}

/* loop:is_ours(): whether this process made it */
static int l_is_ours(lua_State *L) {
  lua_pushboolean(L, loop_is_ours(check_open(L, 1)));
  return 1;
}

/* loop:fd() -> descriptor | nil. Asking marks the loop as watched: see loop_watch. */
static int l_fd(lua_State *L) {
  int fd = loop_watch(check(L));
  if (fd < 0) return 0;
  lua_pushinteger(L, fd);
  return 1;
}

/* loop:step(wait|nil, budget|nil): I/O only; nil is without limit. Unsets the alarm. */
static int l_step(lua_State *L) {
  loop *l = check(L);
  int64_t wait = opt_duration(L, 2), budget = opt_duration(L, 3);
  loop_alarm(l, CLOCK_NEVER);
  loop_step(l, wait, budget);
  return 0;
}

/* loop:wait(wait|nil) -> how many exchanges are under way | nil when there was none, and nobody
 * waited: a step for who waits for one transfer, which needs no ready(). */
static int l_wait(lua_State *L) {
  loop *l = check(L);
  if (loop_running(l) == 0) return 0;
  loop_wait(l, opt_duration(L, 2));
  lua_pushinteger(L, (lua_Integer)loop_running(l));
  return 1;
}

/* loop:alarm(seconds|nil): the descriptor becomes readable then; nil unsets it. Nothing happens in
 * a forked child. */
static int l_alarm(lua_State *L) {
  loop *l = check_open(L, 1);
  int64_t delay = opt_duration(L, 2);
  loop_alarm(l, delay == CLOCK_NEVER ? CLOCK_NEVER : clock_after(clock_now(), delay));
  return 0;
}

/* loop:ready(ids, most) -> how many transfers have something new; their ids are in the list `ids`
 * from 1 on, where others are told later. */
static int l_ready(lua_State *L) {
  loop *l = check(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Integer most = luaL_checkinteger(L, 3);
  int count = 0;
  loop_member *m = NULL;
  while (count < most && (m = loop_next_ready(l)) != NULL) {
    lua_pushlightuserdata(L, m->owner);
    lua_rawseti(L, 2, ++count);
  }
  lua_pushinteger(L, count);
  return 1;
}

/* loop:running() -> how many exchanges are under way */
static int l_running(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)loop_running(check(L)));
  return 1;
}

static const luaL_Reg methods[] = {
    {"is_open", l_is_open}, {"is_ours", l_is_ours}, {"fd", l_fd},
    {"step", l_step},       {"wait", l_wait},       {"alarm", l_alarm},
    {"ready", l_ready},     {"running", l_running}, {NULL, NULL}};

void lloop_open(lua_State *L) {
  lcore_class(L, LOOP, methods, l_close, l_gc);
}
