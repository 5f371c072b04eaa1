/* ljson.c: JSON texts as Lua values: json.h's tape, built into tables.
 *
 * Tables get their size at once. A null is left out of an object and is the
 * light userdata NULL in a list, as lua-cjson's. An empty table bears one of two
 * metatables, so that it is written as it was read. Integers are integers where
 * Lua has them.
 *
 * What a decode needs besides the Lua stack is in a scratch object (see
 * ljson_private.h), so that an error frees it. Nothing here raises over a text.
 */
#include "ljson_private.h"

#include <string.h>

#define LIST   "llm_gateway.core.list"
#define OBJECT "llm_gateway.core.object"
#define VECTOR "embedding"

typedef struct frame {
  uint32_t left; /* items or members to come */
  int index;     /* of the item that was read last */
  bool is_list;
  uint64_t keys; /* of an object: a bit for each that was set, the same for some that were not */
} frame;

typedef struct builder {
  lua_State *L;
  scratch *own;
  const char *text;
  const json_token *next;
  bool *halves;             /* see json_unescape */
  const ljson_shape *shape; /* where the texts are; or NULL: in `text` */
  unsigned depth;
  frame open[JSON_MAX_DEPTH];
} builder;

/* ---- values ---- */

static void push_new_text(builder *b, json_token token, bool *halves) {
  const char *text = b->text + json_at(token);
  size_t n = json_size(token);
  if (json_kind_of(token) == JSON_TEXT) {
    lua_pushlstring(b->L, text, n);
    return;
  }
  buffer *out = &b->own->text;
  buffer_clear(out);
  if (buffer_reserve(out, n) != 0) lcore_no_memory(b->L);
  n = json_unescape(text, n, out->bytes, halves);
  lua_pushlstring(b->L, out->bytes, n);
}

/* No text of a shape is made again. */
static void push_text(builder *b, const json_token *token, bool *halves) {
  const ljson_shape *shape = b->shape;
  if (shape == NULL) {
    push_new_text(b, *token, halves);
    return;
  }
  size_t place = (size_t)(token - shape->tape->tokens);
  for (size_t i = 0; i < shape->holes; i++) {
    if (place != shape->open[i].token) continue;
    lua_pushvalue(b->L, shape->texts + 1 + shape->open[i].role);
    return;
  }
  lua_rawgeti(b->L, shape->texts, (int)place + 1);
}

static void push_integer(builder *b, json_token bits) {
  int64_t n;
  memcpy(&n, &bits, sizeof n);
  compat_pushint64(b->L, n);
}

static void push_double(builder *b, json_token bits) {
  double n;
  memcpy(&n, &bits, sizeof n);
  lua_pushnumber(b->L, (lua_Number)n);
}

static void mark(lua_State *L, const char *name) {
  lua_getfield(L, LUA_REGISTRYINDEX, name);
  lua_setmetatable(L, -2);
}

void lcore_mark_list(lua_State *L) {
  mark(L, LIST);
}

void lcore_mark_object(lua_State *L) {
  mark(L, OBJECT);
}

/* Pushes the table; its items or members, if any, come later. Returns whether there are any. */
static bool open_container(builder *b, json_token token, bool is_list) {
  uint32_t n = (uint32_t)json_size(token);
  int wanted = is_list ? (int)n : (int)json_at(token);
  lua_createtable(b->L, is_list ? wanted : 0, is_list ? 0 : wanted);
  if (wanted == 0) mark(b->L, is_list ? LIST : OBJECT);
  if (n == 0) return false;
  b->open[b->depth++] = (frame){.left = n, .is_list = is_list};
  return true;
}

/* Whether the text that was read last is an embedding that may be in base64: the member of that
 * name of an object in a list. */
static bool is_vector(const builder *b, json_token token) {
  if (b->own == NULL || !b->own->vectors || json_kind_of(token) != JSON_TEXT) return false;
  if (b->depth != 3 || b->open[2].is_list || !b->open[1].is_list) return false;
  json_token key = b->next[-2];
  return json_size(key) == strlen(VECTOR) &&
         memcmp(b->text + json_at(key), VECTOR, strlen(VECTOR)) == 0;
}

static void push_text_or_vector(builder *b, json_token token) {
  if (!is_vector(b, token) || !lfloats_push(b->L, b->text + json_at(token), json_size(token)))
    push_text(b, b->next - 1, b->halves);
}

/* Pushes the next value. Returns whether it is a container that is still to be filled. */
static bool push_value(builder *b) {
  json_token token = *b->next++;
  switch (json_kind_of(token)) {
  case JSON_FALSE: lua_pushboolean(b->L, 0); return false;
  case JSON_TRUE: lua_pushboolean(b->L, 1); return false;
  case JSON_SMALL: compat_pushint64(b->L, json_small(token)); return false;
  case JSON_INTEGER: push_integer(b, *b->next++); return false;
  case JSON_DOUBLE: push_double(b, *b->next++); return false;
  case JSON_TEXT:
  case JSON_ESCAPED: push_text_or_vector(b, token); return false;
  case JSON_LIST:
    if (lnumbers_push_list(b->L, &b->next, (uint32_t)json_size(token))) return false;
    return open_container(b, token, true);
  case JSON_OBJECT: return open_container(b, token, false);
  case JSON_NULL: break;
  }
  lua_pushlightuserdata(b->L, NULL);
  return false;
}

/* ---- objects ---- */

/* A bit that keys of another length or first byte seldom share. */
static uint64_t key_bit(const builder *b, json_token key) {
  if (json_kind_of(key) == JSON_ESCAPED) return UINT64_MAX;
  size_t n = json_size(key);
  unsigned first = n == 0 ? 0 : (unsigned char)b->text[json_at(key)];
  return (uint64_t)1 << ((first + n * 7) % 64);
}

/* The last of several members with one key counts, and be it null. */
static void remove_member(builder *b, const json_token *key) {
  push_text(b, key, NULL);
  lua_pushvalue(b->L, -1);
  lua_rawget(b->L, -3);
  bool found = !lua_isnil(b->L, -1);
  lua_pop(b->L, 1);
  if (!found) {
    lua_pop(b->L, 1);
    return;
  }
  lua_pushnil(b->L);
  lua_rawset(b->L, -3);
  mark(b->L, OBJECT); /* it may be empty now */
}

/* Pushes the next key. Returns false when its value is null: then nothing is pushed. */
static bool push_key(builder *b, frame *object) {
  const json_token *key = b->next++;
  uint64_t bit = key_bit(b, *key);
  if (json_kind_of(*b->next) == JSON_NULL) {
    b->next++;
    if ((object->keys & bit) != 0) remove_member(b, key);
    return false;
  }
  object->keys |= bit;
  push_text(b, key, NULL);
  return true;
}

/* ---- building ---- */

/* The value on top of the stack goes into the container below it (and below its key). */
static void store(builder *b) {
  frame *f = &b->open[b->depth - 1];
  if (f->is_list)
    lua_rawseti(b->L, -2, ++f->index);
  else
    lua_rawset(b->L, -3);
}

/* Pushes the value that the tape holds. */
static void build(builder *b) {
  push_value(b);
  while (b->depth > 0) {
    frame *f = &b->open[b->depth - 1];
    if (f->left-- == 0) {
      if (--b->depth > 0) store(b);
    } else if (f->is_list || push_key(b, f)) {
      if (!push_value(b)) store(b);
    }
  }
}

static int push_fault(lua_State *L, const json_tape *tape) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s at byte %d", tape->fault, (int)tape->fault_at + 1);
  return 2;
}

static int push_whole(lua_State *L, scratch *s, const char *text, bool keep_halves) {
  bool halves = false;
  builder b; /* its frames are not cleared: that would cost more than most texts */
  b.L = L;
  b.own = s;
  b.text = text;
  b.next = s->tape.tokens;
  b.halves = keep_halves ? &halves : NULL;
  b.shape = NULL;
  b.depth = 0;
  s->busy = true;
  if (json_kind_of(*b.next) == JSON_NULL)
    lua_pushnil(L);
  else
    build(&b);
  if (!halves) return 1;
  lua_pushnil(L);
  lua_pushboolean(L, 1);
  return 3;
}

static int push_parsed(lua_State *L, scratch *s, const char *text, size_t n, bool keep_halves) {
  int status = json_parse(&s->tape, text, n);
  if (status == JSON_NO_MEMORY) return lcore_no_memory(L);
  if (status == JSON_BAD) return push_fault(L, &s->tape);
  /* a table and a key for each level */
  if (lua_checkstack(L, 2 * (int)s->tape.depth + 8)) return push_whole(L, s, text, keep_halves);
  s->tape.fault = "nested too deep for what is left of the stack";
  s->tape.fault_at = 0;
  return push_fault(L, &s->tape);
}

/* json_decode(text, keep_halves, vectors) -> value | nil for null | nil, message | value, nil,
 * true: with keep_halves, a text may begin or end with half a surrogate pair. vectors: embeddings
 * that are floats in base64 become lists of numbers. */
int ljson_decode(lua_State *L) {
  size_t n;
  if (lua_type(L, 1) != LUA_TSTRING) {
    lua_pushnil(L);
    lua_pushfstring(L, "expected text, got %s", luaL_typename(L, 1));
    return 2;
  }
  const char *text = lua_tolstring(L, 1, &n);
  bool keep_halves = lua_toboolean(L, 2) != 0;
  bool vectors = lua_toboolean(L, 3) != 0;
  scratch *s = ljson_take_scratch(L);
  s->vectors = vectors;
  int results = push_parsed(L, s, text, n, keep_halves);
  ljson_leave_scratch(s);
  return results;
}

/* ---- events ---- */

/* The event's texts, each with the 0 that json_parse and lua_pushstring want. */
static void copy_event(lua_State *L, buffer *into, const sse_event *event) {
  buffer_clear(into);
  if (buffer_append(into, event->data, event->data_length) != 0 ||
      buffer_append(into, "", 1) != 0 || buffer_append(into, event->type, event->type_length) != 0)
    lcore_no_memory(L);
}

static void swap(buffer *a, buffer *b) {
  buffer old = *a;
  *a = *b;
  *b = old;
}

/* What json_decode would return lies from `first` on: makes it a table or the event's text, and
 * halves or a fault. */
static void shape_results(lua_State *L, int first, int results, const char *data, size_t n) {
  bool is_table = lua_istable(L, first);
  if (!is_table) {
    lua_pushlstring(L, data, n);
    lua_replace(L, first);
  }
  if (results == 3) lua_remove(L, first + 1); /* the nil before halves */
  lua_settop(L, results == 3 && !is_table ? first : first + 1);
  lua_settop(L, first + 1);
}

int ljson_push_event(lua_State *L, const sse_event *event, buffer *kept) {
  size_t n = event->data_length, type_length = event->type_length;
  int first = lua_gettop(L) + 2;
  scratch *s = ljson_take_scratch(L);
  copy_event(L, &s->source, event);
  const char *data = buffer_bytes(&s->source);
  s->busy = true;
  int results = push_parsed(L, s, data, n, true);
  shape_results(L, first, results, data, n);
  if (type_length > 0)
    lua_pushlstring(L, data + n + 1, type_length);
  else
    lua_pushnil(L);
  lua_insert(L, first + 1);
  s->source.end = s->source.start + n;
  swap(&s->source, kept);
  buffer_clear(&s->source);
  ljson_leave_scratch(s);
  return 3;
}

/* ---- shapes ---- */

void ljson_push_texts(lua_State *L, const json_tape *tape, const char *text) {
  lua_createtable(L, (int)tape->count, 0);
  int texts = lua_gettop(L);
  scratch *s = ljson_take_scratch(L);
  builder b;
  b.L = L;
  b.own = s;
  b.text = text;
  s->busy = true;
  for (size_t i = 0; i < tape->count; i++) {
    json_kind kind = json_kind_of(tape->tokens[i]);
    if (kind == JSON_TEXT || kind == JSON_ESCAPED) {
      push_new_text(&b, tape->tokens[i], NULL);
      lua_rawseti(L, texts, (int)i + 1);
    } else if (kind == JSON_INTEGER || kind == JSON_DOUBLE) {
      i++;
    }
  }
  ljson_leave_scratch(s);
  lua_settop(L, texts);
}

void ljson_push_shape(lua_State *L, const ljson_shape *shape) {
  builder b;
  b.L = L;
  b.own = NULL;
  b.text = shape->text;
  b.next = shape->tape->tokens;
  b.halves = NULL;
  b.shape = shape;
  b.depth = 0;
  luaL_checkstack(L, 2 * (int)shape->tape->depth + 8, "nested too deep");
  build(&b);
}

/* ---- opening ---- */

static void add_mark(lua_State *L, const char *name, const char *field) {
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, name);
  lua_setfield(L, -2, field);
}

void ljson_open(lua_State *L) {
  ljson_open_scratch(L);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  lua_pushnumber(L, (lua_Number)JSON_EXACT);
  lua_setfield(L, -2, "json_exact");
  add_mark(L, LIST, "list_mark");
  add_mark(L, OBJECT, "object_mark");
}
