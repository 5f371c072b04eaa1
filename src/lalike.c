/* lalike.c: see lalike.h.
 *
 * The texts of what was learned are made once. Their list is the table of
 * references of the transfer object from then on: what that had at KEEPER stands
 * in the place of the first token, which is no text.
 */
#include "lalike.h"

#define MAX_STEPS   8
#define MAX_IN_VAIN 8
#define KEEPER      1

static int read_path(lua_State *L, int first, json_path_step *path) {
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
  lua_rawgeti(L, -2, KEEPER);
  lua_rawseti(L, -2, KEEPER);
  compat_setuservalue(L, 1);
  lua_pop(L, 1);
  a->in_use = false;
}

bool lalike_may_learn(const lalike *a) {
  return a->in_vain < MAX_IN_VAIN;
}

/* An error while it is in use leaves it so: then it learns no more, and the stream is read on. */
bool lalike_learn(lua_State *L, lalike *a, const buffer *data, int first) {
  json_path_step path[MAX_STEPS];
  const char *padding = luaL_optstring(L, first, NULL);
  size_t steps = (size_t)read_path(L, first + 1, path);
  if (a->in_use || !lalike_may_learn(a)) return false;
  a->in_vain++;
  if (!json_alike_learn(&a->like, buffer_bytes(data), buffer_length(data), path, steps, padding))
    return false;
  keep_texts(L, a);
  return true;
}

bool lalike_match(const lalike *a, const sse_event *event, json_piece pieces[JSON_HOLES]) {
  return event->type_length == 0 &&
         json_alike_match(&a->like, event->data, event->data_length, pieces);
}

static bool append(buffer *out, const json_piece *piece) {
  if (piece->n == 0) return true;
  if (buffer_reserve(out, piece->n) != 0) return false;
  out->end += json_unescape(piece->at, piece->n, out->bytes + out->end, NULL);
  return true;
}

static bool keep_piece(lalike *a, const char *bytes, size_t n) {
  size_t room = a->kept < a->limit ? a->limit - a->kept : 0;
  if (n > room) n = room;
  if (n > 0 && buffer_append(&a->pieces, bytes, n) != 0) return false;
  a->kept += n;
  return true;
}

bool lalike_add(lalike *a, buffer *out, const json_piece *piece) {
  size_t before = buffer_length(out);
  a->in_vain = 0;
  return append(out, piece) &&
         keep_piece(a, buffer_bytes(out) + before, buffer_length(out) - before);
}

bool lalike_copy_padding(const lalike *a, buffer *out, const json_piece *padding) {
  return a->like.holes < 2 || append(out, padding);
}

void lalike_push(lua_State *L, lalike *a) {
  int piece = lua_gettop(L) - 1;
  bool was_in_use = a->in_use;
  a->in_use = true;
  compat_getuservalue(L, 1);
  lua_insert(L, piece);
  ljson_shape shape = {&a->like.tape, buffer_bytes(&a->like.text), piece, a->like.open,
                       a->like.holes};
  ljson_push_shape(L, &shape);
  lua_replace(L, piece);
  lua_settop(L, piece);
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
