/* lencode.c: Lua values as JSON text.
 *
 * What a value means (which keys have lists, what stands for null) is told by
 * tables of json/encode.lua; how it is written is here. While a text grows no
 * Lua code runs, except that an object of very many members makes Lua allocate,
 * and so perhaps collect. Nothing here raises over a value.
 */
#include "lencode_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENCODER    "llm_gateway.core.encoder"
#define STACK_KEYS 32 /* of an object: more are kept in a table */
#define EXACT      ((double)JSON_EXACT)

typedef struct name {
  const char *text;
  size_t length;
  int place; /* of the key: see push_key */
} name;

/* What stands among the keys of a table. */
typedef struct survey {
  int names, numbers;
  lua_Number max, odd; /* the largest number, and one that no list has */
  bool has_odd;
} survey;

enum { ENCODER_UPVALUE = 1, MEANINGS, LIST_KEYS, FREE_NAMES };

static bool write_value(writer *w);

/* ---- single values ---- */

/* Pushes what json/encode.lua says of the value on top, in its place. */
static const char *take_meaning(writer *w) {
  lua_gettable(w->L, lua_upvalueindex(MEANINGS));
  const char *meaning = lua_tostring(w->L, -1); /* a constant, which the table keeps */
  lua_pop(w->L, 1);
  return meaning == NULL ? "" : meaning;
}

static bool write_text(writer *w, const char *text, size_t n, const char *what) {
  size_t bad = 0;
  if (lencode_check(w, json_write_text(&w->own->out, text, n, &bad))) return true;
  return lencode_fail(w, "byte %lu%s is no UTF-8", (unsigned long)bad + 1, what);
}

static bool write_double(writer *w, double n) {
  if (n != n) return lencode_fail(w, "NaN is no JSON number");
  if (isinf(n)) return lencode_fail(w, "an infinite number is no JSON number");
  if (n != floor(n)) return lencode_check(w, json_write_double(&w->own->out, n));
  if (n >= EXACT || n <= -EXACT)
    return lencode_fail(w, "the number is too large to be sent exactly: write it as an integer"
                           " (Lua 5.3 and later) or as text");
  return lencode_check(w, json_write_integer(&w->own->out, (int64_t)n));
}

static bool write_number(writer *w) {
  int64_t n;
  if (!compat_toint64(w->L, -1, &n)) return write_double(w, (double)lua_tonumber(w->L, -1));
  return lencode_check(w, json_write_integer(&w->own->out, n));
}

/* Anything else may stand for null or for an empty list. */
static bool write_other(writer *w) {
  if (lua_islightuserdata(w->L, -1) && lua_touserdata(w->L, -1) == NULL)
    return lencode_put(w, "null", 4);
  lua_pushvalue(w->L, -1);
  const char *meaning = take_meaning(w);
  if (strcmp(meaning, "null") == 0) return lencode_put(w, "null", 4);
  if (strcmp(meaning, "list") == 0) return lencode_put(w, "[]", 2);
  return lencode_fail(w, "a %s cannot be sent as JSON", luaL_typename(w->L, -1));
}

/* ---- what a table is ---- */

/* What the metatable of the table on top says it is: "list", "object" or "". */
static const char *mark_of(writer *w) {
  return lua_getmetatable(w->L, -1) ? take_meaning(w) : "";
}

static bool is_marked_list(writer *w) {
  return strcmp(mark_of(w), "list") == 0;
}

static void add_number_key(survey *s, lua_Number key) {
  s->numbers++;
  if (key > s->max) s->max = key;
  if (key >= 1 && key == floor(key)) return;
  s->odd = key;
  s->has_odd = true;
}

static bool look_over(writer *w, survey *s) {
  lua_pushnil(w->L);
  while (lua_next(w->L, -2) != 0) {
    lua_pop(w->L, 1);
    int type = lua_type(w->L, -1);
    if (type == LUA_TSTRING) {
      s->names++;
    } else if (type == LUA_TNUMBER) {
      add_number_key(s, lua_tonumber(w->L, -1));
    } else {
      return lencode_fail(w, "a key is a %s, and JSON's keys are text", lua_typename(w->L, type));
    }
  }
  return true;
}

static int first_hole(lua_State *L) {
  for (int i = 1;; i++) {
    lua_rawgeti(L, -1, i);
    bool hole = lua_isnil(L, -1);
    lua_pop(L, 1);
    if (hole) return i;
  }
}

/* A table with number keys alone that are no list. */
static bool fail_number_key(writer *w, const survey *s) {
  int hole = first_hole(w->L);
  if (!s->has_odd && (hole > 1 || is_marked_list(w)))
    return lencode_fail(w, "a list with a hole at %d (json.null fills one)", hole);
  char key[32];
  double number = (double)(s->has_odd ? s->odd : s->max);
  snprintf(key, sizeof key, number == floor(number) && fabs(number) < EXACT ? "%.0f" : "%.14g",
           number);
  return lencode_fail(w, "the key %s is a number, and JSON's keys are text: write [\"%s\"]", key,
                      key);
}

/* ---- tables ---- */

static bool write_list(writer *w, int length) {
  level *here = &w->levels[w->depth - 1];
  for (int i = 1; i <= length; i++) {
    here->item = i;
    if (!lencode_put(w, i == 1 ? "[" : ",", 1)) return false;
    lua_rawgeti(w->L, -1, i);
    if (!write_value(w)) return false;
    lua_pop(w->L, 1);
  }
  return lencode_put(w, "]", 1);
}

static int compare_names(const void *a, const void *b) {
  const name *x = a, *y = b;
  size_t n = x->length < y->length ? x->length : y->length;
  int order = memcmp(x->text, y->text, n);
  return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static void sort_names(name *names, int n) {
  if (n > STACK_KEYS) {
    qsort(names, (size_t)n, sizeof *names, compare_names);
    return;
  }
  for (int i = 1; i < n; i++) {
    name moved = names[i];
    int at = i;
    for (; at > 0 && compare_names(&names[at - 1], &moved) > 0; at--) names[at] = names[at - 1];
    names[at] = moved;
  }
}

static name *names_from(writer *w, size_t start) {
  return (name *)(void *)(w->own->names.bytes + start);
}

static void add_name(writer *w, int place) {
  name added = {.place = place};
  added.text = lua_tolstring(w->L, -1, &added.length);
  if (buffer_append(&w->own->names, (const char *)&added, sizeof added) != 0)
    lencode_check(w, JSON_NO_MEMORY);
}

/* Keys are kept on the stack, each as often as lua_next and its user want it. */
static void gather_on_stack(writer *w, int object) {
  lua_pushnil(w->L);
  while (lua_next(w->L, object) != 0) {
    lua_pop(w->L, 1);
    add_name(w, lua_gettop(w->L));
    lua_pushvalue(w->L, -1);
  }
}

/* Many are kept in a table. Its making may run a finalizer, so only what is found then counts. */
static void gather_in_table(writer *w, int object, int count) {
  lua_createtable(w->L, count, 0);
  lua_pushnil(w->L);
  for (int i = 1; lua_next(w->L, object) != 0; i++) {
    lua_pop(w->L, 1);
    if (lua_type(w->L, -1) != LUA_TSTRING) continue;
    add_name(w, i);
    lua_pushvalue(w->L, -1);
    lua_rawseti(w->L, object + 1, i);
  }
}

static void push_key(writer *w, const name *which, int object, bool in_table) {
  if (in_table)
    lua_rawgeti(w->L, object + 1, which->place);
  else
    lua_pushvalue(w->L, which->place);
}

static bool write_member(writer *w, const name *which, int object, bool in_table) {
  if (!write_text(w, which->text, which->length, " of a key") || !lencode_put(w, ":", 1))
    return false;
  push_key(w, which, object, in_table);
  w->levels[w->depth - 1].key = lua_gettop(w->L);
  w->levels[w->depth - 1].object = object;
  lua_pushvalue(w->L, -1);
  lua_rawget(w->L, object);
  if (!write_value(w)) return false;
  w->levels[w->depth - 1].key = 0;
  lua_pop(w->L, 2);
  return true;
}

static bool write_object(writer *w, int count) {
  int object = lua_gettop(w->L);
  size_t start = w->own->names.end;
  bool in_table = count > STACK_KEYS;
  if (in_table)
    gather_in_table(w, object, count);
  else
    gather_on_stack(w, object);
  count = (int)((w->own->names.end - start) / sizeof(name));
  sort_names(names_from(w, start), count);
  for (int i = 0; i < count; i++) {
    name which = names_from(w, start)[i];
    if (!lencode_put(w, i == 0 ? "{" : ",", 1) || !write_member(w, &which, object, in_table))
      return false;
  }
  w->own->names.end = start;
  lua_settop(w->L, object);
  return lencode_put(w, "}", 1);
}

/* Whether one of the tables of json/encode.lua has the key under which a level is written. */
static bool has_key(writer *w, int levels_up, int table) {
  if (w->depth < levels_up || w->levels[w->depth - levels_up].key == 0) return false;
  lua_pushvalue(w->L, w->levels[w->depth - levels_up].key);
  lua_rawget(w->L, lua_upvalueindex(table));
  bool found = lua_toboolean(w->L, -1) != 0;
  lua_pop(w->L, 1);
  return found;
}

/* The arguments of a tool in Anthropic's dialect, {type = "tool_use", input = {}}, are no list. */
static bool is_of_tool_use(writer *w) {
  const level *parent = w->depth > 0 ? &w->levels[w->depth - 1] : NULL;
  if (parent == NULL || parent->key == 0) return false;
  lua_pushliteral(w->L, "type");
  lua_rawget(w->L, parent->object);
  const char *type = lua_type(w->L, -1) == LUA_TSTRING ? lua_tostring(w->L, -1) : "";
  bool found =
      strcmp(type, "tool_use") == 0 && strcmp(lua_tostring(w->L, parent->key), "input") == 0;
  lua_pop(w->L, 1);
  return found;
}

static bool write_empty(writer *w) {
  const char *mark = mark_of(w);
  bool is_list = *mark == '\0'
                     ? has_key(w, 1, LIST_KEYS) && !has_key(w, 2, FREE_NAMES) && !is_of_tool_use(w)
                     : strcmp(mark, "list") == 0;
  return lencode_put(w, is_list ? "[]" : "{}", 2);
}

static bool write_filled(writer *w, const survey *s) {
  if (s->names == 0) {
    if (s->has_odd || (lua_Number)s->numbers != s->max) return fail_number_key(w, s);
    return write_list(w, s->numbers);
  }
  if (s->numbers > 0) return lencode_fail(w, "a table with both list items and named fields");
  if (is_marked_list(w)) return lencode_fail(w, "a list with named fields");
  return write_object(w, s->names);
}

/* A table inside itself is told from one that is used twice. */
static bool enter(writer *w) {
  const void *table = lua_topointer(w->L, -1);
  for (int i = 0; i < w->depth; i++)
    if (w->levels[i].table == table) return lencode_fail(w, "a table that contains itself");
  if (w->depth > LENCODE_MAX_DEPTH)
    return lencode_fail(w, "nested deeper than %d levels", LENCODE_MAX_DEPTH);
  w->levels[w->depth] = (level){.table = table};
  return lua_checkstack(w->L, STACK_KEYS + 8) ||
         lencode_fail(w, "nested too deep for what is left of the stack");
}

static bool write_table(writer *w) {
  survey s = {0};
  if (!enter(w) || !look_over(w, &s)) return false;
  if (s.names == 0 && s.numbers == 0) return write_empty(w);
  w->depth++;
  if (!write_filled(w, &s)) return false;
  w->depth--;
  return true;
}

/* The value on top of the stack, which stays there; after a failure more may lie above it. */
static bool write_value(writer *w) {
  size_t n;
  const char *text;
  switch (lua_type(w->L, -1)) {
  case LUA_TNIL: return lencode_put(w, "null", 4);
  case LUA_TBOOLEAN:
    return lua_toboolean(w->L, -1) ? lencode_put(w, "true", 4) : lencode_put(w, "false", 5);
  case LUA_TNUMBER: return write_number(w);
  case LUA_TSTRING: text = lua_tolstring(w->L, -1, &n); return write_text(w, text, n, "");
  case LUA_TTABLE: return write_table(w);
  default: return write_other(w);
  }
}

/* ---- functions ---- */

static int l_gc(lua_State *L) {
  encoder *e = lcore_check(L, 1, ENCODER);
  buffer_free(&e->out);
  buffer_free(&e->names);
  return 0;
}

/* Pushes an encoder that nobody uses: a finalizer may encode while an encode allocates. */
static encoder *push_encoder(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(ENCODER_UPVALUE));
  encoder *e = lua_touserdata(L, -1);
  if (!e->busy) return e;
  lua_pop(L, 1);
  e = lcore_new(L, sizeof *e, ENCODER);
  lua_pushvalue(L, -1);
  lua_replace(L, lua_upvalueindex(ENCODER_UPVALUE));
  return e;
}

/* json_encode(value) -> text | nil, message, path */
static int l_encode(lua_State *L) {
  writer w;
  lua_settop(L, 1);
  w.L = L;
  w.own = push_encoder(L);
  w.depth = 0;
  w.own->busy = true;
  lua_pushvalue(L, 1);
  int results = 1;
  if (write_value(&w))
    lua_pushlstring(L, buffer_bytes(&w.own->out), buffer_length(&w.own->out));
  else
    results = lencode_push_fault(&w);
  buffer_clear(&w.own->out);
  buffer_clear(&w.own->names);
  w.own->busy = false;
  return results;
}

/* json_encoder(meanings, list_keys, free_names) -> json_encode: meanings says of a metatable, or of
 * a userdata, that it is "list", "object" or "null"; list_keys has the keys under which an empty
 * table is a list, but not in an object under one of free_names */
int lencode_new(lua_State *L) {
  for (int i = 1; i <= 3; i++) luaL_checktype(L, i, LUA_TTABLE);
  lua_settop(L, 3);
  lcore_new(L, sizeof(encoder), ENCODER);
  lua_insert(L, 1);
  lua_pushcclosure(L, l_encode, 4);
  return 1;
}

void lencode_open(lua_State *L) {
  luaL_newmetatable(L, ENCODER);
  lua_pushcfunction(L, l_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
