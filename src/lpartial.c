/* lpartial.c: JSON that is still coming, as a Lua value that grows.
 *
 * The steps of json_stream.h change tables in place: each byte is read once,
 * and whoever asks for the value gets the same tables again. What is kept
 * between calls (the open containers and their pending keys) is in a table of
 * the object's own.
 */
#include "lcore.h"

#include "json_stream.h"

#define PARTIAL     "llm_gateway.core.partial"
#define FRESH_BYTES 4096 /* a longer text is handed over anew when it has grown by a part */
#define FRESH_PART  64

typedef struct partial {
  json_stream stream;
  bool busy;                     /* a call runs, or ended in an error */
  bool is_shown;                 /* the open text is in its container */
  size_t shown;                  /* so many bytes of it */
  int items[JSON_MAX_DEPTH + 1]; /* of each open list */
} partial;

/* Places in the object's own table. */
static int container_at(unsigned depth) {
  return 2 * (int)depth; /* of depth 1 and more */
}

static int key_at(unsigned depth) {
  return 2 * (int)depth + 1; /* depth 0: where the value itself is */
}

#define VALUE_AT 1
#define KEPT     3 /* where the stack has the object's own table, during a call */

/* ---- putting values into their places ---- */

static bool in_list(const partial *p) {
  return p->stream.open[p->stream.depth - 1] == ']';
}

/* A table bears its mark only while it is empty, as a decoded one does. */
static void unmark(lua_State *L) {
  if (!lua_getmetatable(L, -2)) return;
  lua_pop(L, 1);
  lua_pushnil(L);
  lua_setmetatable(L, -3);
}

/* [container, value] -> [container]: behind the last item, which it becomes unless it is still
 * open. */
static void put_item(lua_State *L, partial *p, bool is_open) {
  int *count = &p->items[p->stream.depth];
  unmark(L);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushlightuserdata(L, NULL);
  }
  lua_rawseti(L, -2, *count + 1);
  if (!is_open) ++*count;
}

/* [container, value] -> [container]: under the pending key. A nil removes what was there. */
static void put_member(lua_State *L, partial *p) {
  bool is_nil = lua_isnil(L, -1);
  if (!is_nil) unmark(L);
  lua_rawgeti(L, KEPT, key_at(p->stream.depth));
  if (is_nil) {
    lua_pushvalue(L, -1);
    lua_rawget(L, -4);
    bool found = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (!found) {
      lua_pop(L, 2);
      return;
    }
  }
  lua_insert(L, -2);
  lua_rawset(L, -3);
  if (is_nil) lcore_mark_object(L);
}

/* Pops the value on top into its place. */
static void put_value(lua_State *L, partial *p, bool is_open) {
  if (p->stream.depth == 0) {
    lua_rawseti(L, KEPT, VALUE_AT);
    return;
  }
  lua_rawgeti(L, KEPT, container_at(p->stream.depth));
  lua_insert(L, -2);
  if (in_list(p))
    put_item(L, p, is_open);
  else
    put_member(L, p);
  lua_pop(L, 1);
}

/* ---- steps ---- */

/* The stream counts the container as open already; its place is in the one around it. */
static void open_container(lua_State *L, partial *p, bool is_list) {
  lua_newtable(L);
  if (is_list)
    lcore_mark_list(L);
  else
    lcore_mark_object(L);
  lua_pushvalue(L, -1);
  lua_rawseti(L, KEPT, container_at(p->stream.depth));
  p->items[p->stream.depth] = 0;
  p->stream.depth--;
  put_value(L, p, false);
  p->stream.depth++;
}

static void push_token(lua_State *L, const partial *p) {
  const buffer *token = &p->stream.token;
  lua_pushlstring(L, buffer_bytes(token), buffer_length(token));
}

static void push_number(lua_State *L, const json_number *n) {
  if (n->is_integer)
    compat_pushint64(L, n->integer);
  else
    lua_pushnumber(L, (lua_Number)n->number);
}

static void take_step(lua_State *L, partial *p, json_step step) {
  switch (step) {
  case JSON_STEP_LIST:
  case JSON_STEP_OBJECT: open_container(L, p, step == JSON_STEP_LIST); return;
  case JSON_STEP_KEY:
    push_token(L, p);
    lua_rawseti(L, KEPT, key_at(p->stream.depth));
    return;
  case JSON_STEP_TEXT: push_token(L, p); break;
  case JSON_STEP_NUMBER: push_number(L, &p->stream.number); break;
  case JSON_STEP_NULL: lua_pushnil(L); break;
  case JSON_STEP_FALSE:
  case JSON_STEP_TRUE: lua_pushboolean(L, step == JSON_STEP_TRUE); break;
  default: return;
  }
  p->is_shown = false;
  put_value(L, p, false);
}

/* ---- methods ---- */

static partial *check(lua_State *L) {
  partial *p = lcore_check(L, 1, PARTIAL);
  lua_settop(L, 2);
  compat_getuservalue(L, 1); /* at KEPT */
  luaL_checkstack(L, 8, NULL);
  if (p->busy) luaL_error(L, "the parser is in use, or ran out of memory");
  p->busy = true;
  return p;
}

static int push_fault(lua_State *L, partial *p) {
  p->busy = false;
  lua_pushnil(L);
  lua_pushfstring(L, "%s at byte %d", p->stream.fault, (int)p->stream.bytes + 1);
  return 2;
}

/* partial:feed(text) -> partial | nil, message: the same again for every later piece */
static int l_feed(lua_State *L) {
  size_t n;
  const char *at = luaL_checklstring(L, 2, &n), *end = at + n;
  partial *p = check(L);
  json_step step;
  while ((step = json_stream_next(&p->stream, &at, end)) != JSON_STEP_MORE) {
    if (step == JSON_STEP_FAILED) return push_fault(L, p);
    take_step(L, p, step);
  }
  p->busy = false;
  lua_settop(L, 1);
  return 1;
}

/* A long text that grows by a few bytes is not copied for each of them. */
static bool wants_showing(const partial *p, size_t n) {
  if (!p->is_shown) return true;
  return n > p->shown && (n <= FRESH_BYTES || n - p->shown >= n / FRESH_PART);
}

static void show_open_text(lua_State *L, partial *p) {
  size_t n;
  if (!json_stream_open_text(&p->stream, &n) || !wants_showing(p, n)) return;
  lua_pushlstring(L, buffer_bytes(&p->stream.token), n);
  put_value(L, p, true);
  p->is_shown = true;
  p->shown = n;
}

/* partial:value() -> what has come so far (nil before anything has), whether that is the whole. The
 * tables are the same each time, and grow; they are the caller's to read, not to change. A text
 * that is still open is as long as it is for good, without half a character or half an escape; of
 * one longer than 4 KiB the last 64th may be held back until it is closed. Numbers, true, false and
 * null are there once the byte after them has come. */
static int l_value(lua_State *L) {
  partial *p = check(L);
  show_open_text(L, p);
  lua_rawgeti(L, KEPT, VALUE_AT);
  lua_pushboolean(L, json_stream_is_whole(&p->stream));
  p->busy = false;
  return 2;
}

/* partial:finish() -> the value, as json_decode gives it | nil, message when it is not whole */
static int l_finish(lua_State *L) {
  partial *p = check(L);
  json_step step = json_stream_end(&p->stream);
  if (step == JSON_STEP_FAILED) return push_fault(L, p);
  take_step(L, p, step);
  lua_rawgeti(L, KEPT, VALUE_AT);
  p->busy = false;
  return 1;
}

static int l_gc(lua_State *L) {
  partial *p = lcore_check(L, 1, PARTIAL);
  json_stream_free(&p->stream);
  return 0;
}

/* json_partial() -> a parser for one JSON text that comes in pieces */
int lpartial_new(lua_State *L) {
  lcore_new(L, sizeof(partial), PARTIAL);
  lua_createtable(L, 8, 0);
  compat_setuservalue(L, -2);
  return 1;
}

static const luaL_Reg methods[] = {
    {"feed", l_feed}, {"value", l_value}, {"finish", l_finish}, {NULL, NULL}};

void lpartial_open(lua_State *L) {
  luaL_newmetatable(L, PARTIAL);
  lua_pushcfunction(L, l_gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  lua_pushvalue(L, -2);
  compat_setfuncs(L, methods, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lcore_hide(L, PARTIAL);
}
