/* lencode_fault.c: what is said of a value that is no JSON: see lencode_private.h. */
#include "lencode_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_name(const char *text) {
  static const char letters[] = "0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  return strspn(text, letters + 10) > 0 && text[strspn(text, letters)] == '\0';
}

static void add_key_step(writer *w, int key, bool first) {
  size_t n, bad;
  const char *text = lua_tolstring(w->L, key, &n);
  bool plain = strlen(text) == n && is_name(text);
  if (plain && !first) lencode_put(w, ".", 1);
  if (!plain) lencode_put(w, "[", 1);
  if (plain)
    lencode_put(w, text, n);
  else
    lencode_check(w, json_write_text(&w->own->out, text, n, &bad));
  if (!plain) lencode_put(w, "]", 1);
}

static void add_item_step(writer *w, int item) {
  char step[24];
  lencode_put(w, step, (size_t)snprintf(step, sizeof step, "[%d]", item));
}

bool lencode_fail(writer *w, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(w->fault, sizeof w->fault, format, values);
  va_end(values);
  return false;
}

int lencode_push_fault(writer *w) {
  buffer_clear(&w->own->out);
  for (int i = 0; i < w->depth; i++) {
    const level *at = &w->levels[i];
    if (at->key != 0)
      add_key_step(w, at->key, i == 0);
    else if (at->item != 0)
      add_item_step(w, at->item);
  }
  lua_checkstack(w->L, 3);
  lua_pushnil(w->L);
  lua_pushstring(w->L, w->fault);
  lua_pushlstring(w->L, buffer_bytes(&w->own->out), buffer_length(&w->own->out));
  return 3;
}
