/* lalike.c: see lalike.h.
 *
 * The texts of what was learned are made once. They are in the table of
 * references of the transfer object, at TEXTS.
 */
#include "lalike.h"

#define MAX_STEPS   8
#define MAX_IN_VAIN 8
#define TEXTS       2

static int read_path(lua_State *L, int first, json_step *path) {
  int steps = lua_gettop(L) - first + 1;
  luaL_argcheck(L, steps <= MAX_STEPS, first, "too long a path");
  for (int i = 0; i < steps; i++) {
    bool is_item = lua_type(L, first + i) == LUA_TNUMBER;
    path[i].key = is_item ? NULL : luaL_checkstring(L, first + i);
    path[i].item = is_item ? (size_t)luaL_checkinteger(L, first + i) - 1 : 0;
  }
  return steps;
}

static void keep_texts(lua_State *L, lalike *a) {
  a->in_use = true;
  compat_getuservalue(L, 1);
  ljson_push_texts(L, &a->like.tape, buffer_bytes(&a->like.text));
  lua_rawseti(L, -2, TEXTS);
  lua_pop(L, 1);
  a->in_use = false;
}

bool lalike_may_learn(const lalike *a) {
  return a->in_vain < MAX_IN_VAIN;
}

/* An error while it is in use leaves it so: then it learns no more, and the stream is read on. */
bool lalike_learn(lua_State *L, lalike *a, const buffer *data, int first) {
  json_step path[MAX_STEPS];
  size_t steps = (size_t)read_path(L, first, path);
  if (a->in_use || !lalike_may_learn(a)) return false;
  a->in_vain++;
  if (!json_alike_learn(&a->like, buffer_bytes(data), buffer_length(data), path, steps))
    return false;
  keep_texts(L, a);
  return true;
}

bool lalike_match(const lalike *a, const sse_event *event, json_piece *piece) {
  return event->type_length == 0 &&
         json_alike_match(&a->like, event->data, event->data_length, piece);
}

static bool keep_piece(lalike *a, const char *bytes, size_t n) {
  size_t room = a->kept < a->limit ? a->limit - a->kept : 0;
  if (n > room) n = room;
  if (n > 0 && buffer_append(&a->pieces, bytes, n) != 0) return false;
  a->kept += n;
  return true;
}

bool lalike_add(lalike *a, buffer *out, const json_piece *piece) {
  size_t before = buffer_length(out), n = piece->n;
  if (buffer_reserve(out, n) != 0) return false;
  char *to = out->bytes == NULL ? NULL : out->bytes + out->end;
  if (n > 0) n = json_unescape(piece->at, n, to, NULL);
  out->end += n;
  a->in_vain = 0;
  return keep_piece(a, buffer_bytes(out) + before, n);
}

void lalike_push(lua_State *L, lalike *a, int piece) {
  bool was_in_use = a->in_use;
  a->in_use = true;
  compat_getuservalue(L, 1);
  lua_rawgeti(L, -1, TEXTS);
  ljson_shape shape = {&a->like.tape, buffer_bytes(&a->like.text), lua_gettop(L), a->like.hole,
                       piece};
  ljson_push_shape(L, &shape);
  lua_replace(L, piece + 1);
  lua_settop(L, piece + 1);
  a->in_use = was_in_use;
}

void lalike_take_pieces(lalike *a, buffer *into) {
  buffer empty = *into;
  *into = a->pieces;
  a->pieces = empty;
}

void lalike_free(lalike *a) {
  json_alike_free(&a->like);
  buffer_free(&a->pieces);
}
