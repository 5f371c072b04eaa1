/* lform.c: what a request has beside its fields: the parts of a form, and the file for its answer.
 */
#include "lcore.h"

#include <string.h>

/* A text field of the table on top of the stack, which keeps it alive; NULL for none. */
static const char *text_of(lua_State *L, const char *name, size_t *n) {
  lua_getfield(L, -1, name);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, n) : NULL;
  lua_pop(L, 1);
  return text;
}

/* nil, {class, text, field} */
static int push_file_failure(lua_State *L, const char *class, const char *path, int number,
                             const char *field) {
  lua_pushnil(L);
  lua_createtable(L, 0, 3);
  lua_pushstring(L, class);
  lua_setfield(L, -2, "class");
  lua_pushfstring(L, "%s: %s", path, strerror(number));
  lua_setfield(L, -2, "text");
  lua_pushstring(L, field);
  lua_setfield(L, -2, "field");
  return 2;
}

/* Adds the part on top of the stack: {name, data | path, filename, type, field (where the user
 * wrote it)}. */
static int add_part(lua_State *L, form *f) {
  size_t n = 0, ignored;
  form_part about = {text_of(L, "name", &ignored), text_of(L, "filename", &ignored),
                     text_of(L, "type", &ignored)};
  const char *data = text_of(L, "data", &n), *path = text_of(L, "path", &ignored);
  luaL_argcheck(L, about.name != NULL && (data != NULL || path != NULL), 2, "a part has no data");
  int number = data != NULL ? form_add_text(f, &about, data, n) : form_add_file(f, &about, path);
  if (number < 0) lcore_no_memory(L);
  return number == 0
             ? 0
             : push_file_failure(L, "read_file", path, number, text_of(L, "field", &ignored));
}

/* Each returns 0, or 2 having pushed nil and a table of facts. */
static int add_parts(lua_State *L, int request, transfer *t) {
  lua_getfield(L, request, "multipart");
  if (!lua_istable(L, -1)) return 0;
  form *f = transfer_form(t);
  if (f == NULL) lcore_no_memory(L);
  for (int i = 1;; i++) {
    lua_rawgeti(L, -1, i);
    if (!lua_istable(L, -1)) return 0;
    int pushed = add_part(L, f);
    if (pushed != 0) return pushed;
    lua_pop(L, 1);
  }
}

static int set_into(lua_State *L, int request, transfer *t) {
  lua_getfield(L, request, "into");
  const char *path = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  if (path == NULL) return 0;
  int number = transfer_write_into(t, path);
  if (number < 0) lcore_no_memory(L);
  return number == 0 ? 0 : push_file_failure(L, "write_file", path, number, "into");
}

int lform_add(lua_State *L, int request, transfer *t) {
  int top = lua_gettop(L), pushed = add_parts(L, request, t);
  if (pushed == 0) pushed = set_into(L, request, t);
  if (pushed == 0) lua_settop(L, top);
  return pushed;
}
