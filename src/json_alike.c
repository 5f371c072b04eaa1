/* json_alike.c: see json_alike.h. */
#include "json_alike.h"

#include <string.h>

#define MAX_LEARNED ((size_t)8 * 1024) /* bytes of a text that is worth keeping */

/* ---- the way to the text ---- */

/* The token behind a value and all that it holds. */
static const json_token *skip_value(const json_token *at) {
  for (size_t left = 1; left > 0; left--) {
    json_token token = *at++;
    switch (json_kind_of(token)) {
    case JSON_INTEGER:
    case JSON_DOUBLE: at++; break;
    case JSON_LIST: left += json_size(token); break;
    case JSON_OBJECT: left += 2 * json_size(token); break;
    default: break;
    }
  }
  return at;
}

static bool is_key(const char *text, json_token key, const char *name, size_t n) {
  return json_size(key) == n && memcmp(text + json_at(key), name, n) == 0;
}

/* NULL without one, with more than one, and with a key that would first have to be unescaped. */
static const json_token *find_member(const char *text, const json_token *object, const char *name) {
  const json_token *found = NULL, *at = object + 1;
  size_t n = strlen(name);
  if (json_kind_of(*object) != JSON_OBJECT) return NULL;
  for (size_t left = json_size(*object); left > 0; left--) {
    json_token key = *at++;
    if (json_kind_of(key) == JSON_ESCAPED) return NULL;
    if (is_key(text, key, name, n)) {
      if (found != NULL) return NULL;
      found = at;
    }
    at = skip_value(at);
  }
  return found;
}

static const json_token *find_item(const json_token *list, size_t item) {
  const json_token *at = list + 1;
  if (json_kind_of(*list) != JSON_LIST || json_size(*list) <= item) return NULL;
  while (item-- > 0) at = skip_value(at);
  return at;
}

static const json_token *find(const json_alike *like, const json_step *path, size_t steps) {
  const char *text = buffer_bytes(&like->text);
  const json_token *at = like->tape.tokens;
  for (size_t i = 0; i < steps && at != NULL; i++)
    at = path[i].key != NULL ? find_member(text, at, path[i].key) : find_item(at, path[i].item);
  if (at == NULL) return NULL;
  json_kind kind = json_kind_of(*at);
  return kind == JSON_TEXT || kind == JSON_ESCAPED ? at : NULL;
}

/* ---- learning ---- */

static bool keep(json_alike *like, const char *text, size_t n) {
  buffer_clear(&like->text);
  if (buffer_append(&like->text, text, n) != 0 || buffer_append(&like->text, "", 1) != 0)
    return false;
  return json_parse(&like->tape, buffer_bytes(&like->text), n) == JSON_OK;
}

bool json_alike_learn(json_alike *like, const char *text, size_t n, const json_step *path,
                      size_t steps) {
  like->known = false;
  if (n > MAX_LEARNED || !keep(like, text, n)) return false;
  const json_token *found = find(like, path, steps);
  if (found == NULL) return false;
  like->hole = (size_t)(found - like->tape.tokens);
  like->begin = json_at(*found);
  like->end = like->begin + json_size(*found);
  like->known = true;
  return true;
}

void json_alike_free(json_alike *like) {
  buffer_free(&like->text);
  json_tape_free(&like->tape);
  memset(like, 0, sizeof *like);
}

/* ---- matching ---- */

/* Whether the text from piece->at on ends at `quote`, where one stands. What an escape of four
 * digits means, its neighbours may have a say in. */
static bool read_piece(json_piece *piece, const char *quote) {
  const char *at = piece->at;
  piece->escaped = false;
  while (*(at = json_skip_plain(at, quote)) == '\\') {
    if (at[1] == '\0' || strchr("\"\\/bfnrt", at[1]) == NULL) return false;
    piece->escaped = true;
    at += 2;
    if (at > quote) return false;
  }
  piece->n = (size_t)(at - piece->at);
  return at == quote;
}

bool json_alike_match(const json_alike *like, const char *text, size_t n, json_piece *piece) {
  const char *learned = buffer_bytes(&like->text);
  size_t tail = buffer_length(&like->text) - 1 - like->end; /* from the closing quote on */
  if (!like->known || n < like->begin + tail) return false;
  const char *quote = text + (n - tail);
  if (memcmp(text, learned, like->begin) != 0) return false;
  if (memcmp(quote, learned + like->end, tail) != 0) return false;
  piece->at = text + like->begin;
  return read_piece(piece, quote);
}
