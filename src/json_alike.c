/* json_alike.c: see json_alike.h. */
#include "json_alike.h"

#include <string.h>

#define MAX_LEARNED ((size_t)8 * 1024) /* bytes of a text that is worth keeping */
#define MAX_DEPTH   32                 /* and its levels */

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

static const json_token *find(const json_alike *like, const json_path_step *path, size_t steps) {
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
  buffer_free(&like->text); /* streams may be many: it holds no more than it needs */
  if (buffer_reserve(&like->text, n + 1) != 0 || buffer_append(&like->text, text, n) != 0 ||
      buffer_append(&like->text, "", 1) != 0)
    return false;
  if (json_parse(&like->tape, buffer_bytes(&like->text), n) != JSON_OK) return false;
  json_tape_fit(&like->tape);
  return like->tape.depth <= MAX_DEPTH;
}

static void open_hole(json_alike *like, const json_token *token, int role) {
  json_hole *hole = &like->open[like->holes++];
  hole->token = (size_t)(token - like->tape.tokens);
  hole->begin = json_at(*token);
  hole->end = hole->begin + json_size(*token);
  hole->role = role;
}

static void sort_holes(json_alike *like) {
  json_hole first = like->open[0];
  if (like->holes < 2 || first.begin < like->open[1].begin) return;
  like->open[0] = like->open[1];
  like->open[1] = first;
}

bool json_alike_learn(json_alike *like, const char *text, size_t n, const json_path_step *path,
                      size_t steps, const char *padding) {
  like->holes = 0;
  if (n > MAX_LEARNED || !keep(like, text, n)) return false;
  const json_token *piece = find(like, path, steps);
  if (piece == NULL) return false;
  open_hole(like, piece, JSON_PIECE);
  json_path_step to_padding = {.key = padding};
  const json_token *other = padding == NULL ? NULL : find(like, &to_padding, 1);
  if (other != NULL && other != piece) open_hole(like, other, JSON_PADDING);
  sort_holes(like);
  return true;
}

void json_alike_free(json_alike *like) {
  buffer_free(&like->text);
  json_tape_free(&like->tape);
  memset(like, 0, sizeof *like);
}

/* ---- matching ---- */

/* Reads the text that begins at `at`. Returns its closing quote, the last of which stands at
 * `last`, or NULL. What an escape of four digits means, its neighbours may have a say in. */
static const char *read_piece(json_piece *piece, const char *at, const char *last) {
  piece->at = at;
  piece->escaped = false;
  while (*(at = json_skip_plain(at, last)) == '\\') {
    if (at[1] == '\0' || strchr("\"\\/bfnrt", at[1]) == NULL) return NULL;
    piece->escaped = true;
    at += 2;
    if (at > last) return NULL;
  }
  piece->n = (size_t)(at - piece->at);
  return *at == '"' ? at : NULL;
}

bool json_alike_match(const json_alike *like, const char *text, size_t n,
                      json_piece pieces[JSON_HOLES]) {
  if (like->holes == 0) return false;
  const char *learned = buffer_bytes(&like->text);
  size_t from = 0, behind = like->open[like->holes - 1].end; /* from the closing quote on */
  size_t tail = buffer_length(&like->text) - 1 - behind;
  if (n < tail || memcmp(text + (n - tail), learned + behind, tail) != 0) return false;
  const char *at = text, *last = text + (n - tail);
  for (size_t i = 0; i < like->holes; i++) {
    const json_hole *hole = &like->open[i];
    size_t same = hole->begin - from;
    if ((size_t)(last - at) < same || memcmp(at, learned + from, same) != 0) return false;
    at = read_piece(&pieces[hole->role], at + same, last);
    if (at == NULL) return false;
    from = hole->end;
  }
  return at == last;
}
