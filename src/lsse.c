/* lsse.c: the SSE parser for Lua: what require "llm_gateway.sse" is made of. */
#include "lcore.h"

#include "sse.h"

#define SSE "llm_gateway.core.sse"

typedef struct lua_sse {
  bool open;
  sse parser;
  lcore_place place; /* for the event that is being pushed */
} lua_sse;

static lua_sse *check_object(lua_State *L) {
  lua_sse *u = lcore_check(L, 1, SSE);
  if (!u->open) luaL_error(L, "the parser is closed");
  return u;
}

static sse *check(lua_State *L) {
  return &check_object(L)->parser;
}

/* sse(max_event_bytes, lenient) -> parser; see sse.h. 0, and more than memory has, is no limit. */
int lsse_new(lua_State *L) {
  double max = luaL_checknumber(L, 1);
  luaL_argcheck(L, max >= 0, 1, "max_event_bytes out of range");
  lua_sse *u = lcore_new(L, sizeof *u, SSE);
  sse_init(&u->parser, max < (double)SSE_MOST_BYTES ? (size_t)max : 0);
  u->parser.lenient = lua_toboolean(L, 2);
  u->open = true;
  return 1;
}

static int l_close(lua_State *L) {
  lua_sse *u = lcore_check(L, 1, SSE);
  if (u->open) sse_free(&u->parser);
  u->open = false;
  return 0;
}

static int l_gc(lua_State *L) {
  lua_sse *u = lcore_check(L, 1, SSE);
  lcore_free_places(&u->place);
  return l_close(L);
}

static int push_failure(lua_State *L, const sse *p, int status) {
  if (status == SSE_NO_MEMORY) return lcore_no_memory(L);
  lua_pushnil(L);
  lua_pushliteral(L, "an event is larger than max_event_bytes, ");
  lua_pushinteger(L, (lua_Integer)p->max_event_bytes);
  lua_concat(L, 2);
  return 2;
}

/* parser:feed(bytes) -> parser | nil, message */
static int l_feed(lua_State *L) {
  size_t n;
  const char *bytes = luaL_checklstring(L, 2, &n);
  sse *p = check(L);
  int status = sse_feed(p, bytes, n);
  if (status != SSE_OK) return push_failure(L, p, status);
  lua_settop(L, 1);
  return 1;
}

static void push_text(lua_State *L, const char *text, size_t n) {
  if (n > 0)
    lua_pushlstring(L, text, n);
  else
    lua_pushnil(L);
}

static int push_event(lua_State *L, lua_sse *u, sse_event *event) {
  lcore_place *place = lcore_keep_event(L, &u->place, event);
  lua_pushlstring(L, event->data, event->data_length);
  push_text(L, event->type, event->type_length);
  push_text(L, event->id, event->id_length);
  lcore_leave_place(place);
  return 3;
}

/* Its upvalue is the metatable: to look that up by its name takes as long as to parse an event. */
static lua_sse *check_quickly(lua_State *L) {
  bool is_own = lua_getmetatable(L, 1) && lua_rawequal(L, -1, lua_upvalueindex(1));
  lua_settop(L, 1);
  lua_sse *u = is_own ? lua_touserdata(L, 1) : NULL;
  return u != NULL && u->open ? u : check_object(L);
}

/* parser:pull() -> data, type | nil ("message"), id | nil (none) of the next event | nothing */
static int l_pull(lua_State *L) {
  sse_event event;
  lua_sse *u = check_quickly(L);
  return sse_next(&u->parser, &event) ? push_event(L, u, &event) : 0;
}

/* parser:retry() -> milliseconds | nil */
static int l_retry(lua_State *L) {
  const sse *p = check(L);
  if (p->retry < 0) return 0;
  lua_pushinteger(L, (lua_Integer)p->retry);
  return 1;
}

/* parser:pull_last() -> the same of the event that lacks only its blank line; starts anew. Events
 * that were not pulled before stay to be pulled. */
static int l_pull_last(lua_State *L) {
  sse_event event;
  lua_sse *u = check_object(L);
  return sse_finish(&u->parser, &event) ? push_event(L, u, &event) : 0;
}

static const luaL_Reg methods[] = {
    {"feed", l_feed}, {"retry", l_retry}, {"pull_last", l_pull_last}, {NULL, NULL}};

void lsse_open(lua_State *L) {
  lcore_class(L, SSE, methods, l_close, l_gc);
  luaL_getmetatable(L, SSE);
  lua_pushcclosure(L, l_pull, 1);
  lua_setfield(L, -2, "pull");
  lcore_hide(L, SSE);
}
