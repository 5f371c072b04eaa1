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
  lua_sse *u = luaL_checkudata(L, 1, SSE);
  if (!u->open) luaL_error(L, "the parser is closed");
  return u;
}

static sse *check(lua_State *L) {
  return &check_object(L)->parser;
}

/* sse(max_event_bytes, lenient) -> parser; see sse.h */
int lsse_new(lua_State *L) {
  double max = luaL_checknumber(L, 1);
  luaL_argcheck(L, max >= 1 && max <= (double)SSE_MOST_BYTES, 1, "max_event_bytes out of range");
  lua_sse *u = lcore_new(L, sizeof *u, SSE);
  sse_init(&u->parser, (size_t)max);
  u->parser.lenient = lua_toboolean(L, 2);
  u->open = true;
  return 1;
}

static int l_close(lua_State *L) {
  lua_sse *u = luaL_checkudata(L, 1, SSE);
  if (u->open) sse_free(&u->parser);
  u->open = false;
  return 0;
}

static int l_gc(lua_State *L) {
  lua_sse *u = luaL_checkudata(L, 1, SSE);
  lcore_free_places(&u->place);
  return l_close(L);
}

static int push_failure(lua_State *L, const sse *p, int status) {
  if (status == SSE_NO_MEMORY) return luaL_error(L, "not enough memory");
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

/* What each event needs, as upvalues of the methods that make one: to look a text up among Lua's
 * takes as long as to parse the event. */
enum { EVENT = 1, DATA, ID, MESSAGE, NOTHING, METATABLE };

static void set_text(lua_State *L, int name, const char *text, size_t n, int otherwise) {
  lua_pushvalue(L, lua_upvalueindex(name));
  if (n > 0)
    lua_pushlstring(L, text, n);
  else
    lua_pushvalue(L, lua_upvalueindex(otherwise));
  lua_rawset(L, -3);
}

static void push_event(lua_State *L, lua_sse *u, sse_event *event) {
  lcore_place *place = lcore_keep_event(L, &u->place, event);
  lua_createtable(L, 0, 3);
  set_text(L, EVENT, event->type, event->type_length, MESSAGE);
  set_text(L, DATA, event->data, event->data_length, NOTHING);
  set_text(L, ID, event->id, event->id_length, NOTHING);
  lcore_leave_place(place);
}

static lua_sse *check_quickly(lua_State *L) {
  bool is_own = lua_getmetatable(L, 1) && lua_rawequal(L, -1, lua_upvalueindex(METATABLE));
  lua_settop(L, 1);
  lua_sse *u = is_own ? lua_touserdata(L, 1) : NULL;
  return u != NULL && u->open ? u : check_object(L);
}

/* parser:next() -> {event, data, id} | nil */
static int l_next(lua_State *L) {
  sse_event event;
  lua_sse *u = check_quickly(L);
  if (!sse_next(&u->parser, &event)) return 0;
  push_event(L, u, &event);
  return 1;
}

/* parser:retry() -> milliseconds | nil */
static int l_retry(lua_State *L) {
  const sse *p = check(L);
  if (p->retry < 0) return 0;
  lua_pushinteger(L, (lua_Integer)p->retry);
  return 1;
}

/* parser:finish() -> the event that lacks only its blank line | nil. Events that were not pulled
 * before stay to be pulled. */
static int l_finish(lua_State *L) {
  sse_event event;
  lua_sse *u = check_object(L);
  if (!sse_finish(&u->parser, &event)) return 0;
  push_event(L, u, &event);
  return 1;
}

static const luaL_Reg methods[] = {{"feed", l_feed}, {"retry", l_retry}, {NULL, NULL}};

/* Adds a method with its upvalues to the table on top. */
static void add_method(lua_State *L, const char *name, lua_CFunction function) {
  lua_pushliteral(L, "event");
  lua_pushliteral(L, "data");
  lua_pushliteral(L, "id");
  lua_pushliteral(L, "message");
  lua_pushliteral(L, "");
  luaL_getmetatable(L, SSE);
  lua_pushcclosure(L, function, METATABLE);
  lua_setfield(L, -2, name);
}

void lsse_open(lua_State *L) {
  lcore_class(L, SSE, methods, l_close, l_gc);
  add_method(L, "next", l_next);
  add_method(L, "finish", l_finish);
  lcore_hide(L, SSE);
}
