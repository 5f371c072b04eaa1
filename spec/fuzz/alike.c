/* alike.c: holds src/json_alike.h against the grammar, for json.c: a text is
 * learned and then edited, and the edited one is like it exactly when the whole
 * parse says so.
 *
 * The input is the text, and a number that everything else is drawn from: which
 * of its texts may differ, and how it is edited. Leans on src/json.h.
 */
#include "alike.h"

#include <string.h>

#include "../../src/json_alike.h"
#include "fuzz.h"

#define MAX_STEPS 8
#define MAX_KEY   64
#define MAX_TEXT  4096
#define EDITS     8 /* of each text */
#define MAX_EDIT  24

/* ---- drawing ---- */

static uint32_t drawn;

static size_t draw(size_t below) {
  drawn = drawn * 1664525U + 1013904223U;
  return below == 0 ? 0 : (drawn >> 8) % below;
}

/* ---- the text that may differ ---- */

typedef struct choice {
  const char *text;
  size_t skip;             /* how many texts come before it */
  const json_token *found; /* NULL while it has not come */
  json_path_step path[MAX_STEPS];
  size_t steps;
  char keys[MAX_STEPS][MAX_KEY];
} choice;

/* The bytes of a key as a string; NULL of one that is long or has escapes. */
static const char *copy_key(char out[MAX_KEY], const char *text, json_token key) {
  size_t n = json_size(key);
  if (json_kind_of(key) == JSON_ESCAPED || n >= MAX_KEY) return NULL;
  memcpy(out, text + json_at(key), n);
  out[n] = '\0';
  return out;
}

static bool is_open(const choice *c, size_t depth) {
  return c->found == NULL && depth < MAX_STEPS;
}

/* Goes through a value, so deep in the whole. Returns the token behind it. */
static const json_token *choose(choice *c, const json_token *at, size_t depth) {
  json_token token = *at++;
  json_kind kind = json_kind_of(token);
  if (kind == JSON_INTEGER || kind == JSON_DOUBLE) return at + 1;
  if ((kind == JSON_TEXT || kind == JSON_ESCAPED) && c->found == NULL && c->skip-- == 0) {
    c->found = at - 1;
    c->steps = depth;
  }
  if (kind != JSON_LIST && kind != JSON_OBJECT) return at;
  for (size_t i = 0; i < json_size(token); i++) {
    if (is_open(c, depth)) c->path[depth] = (json_path_step){.item = i};
    if (kind == JSON_OBJECT && is_open(c, depth))
      c->path[depth].key = copy_key(c->keys[depth], c->text, *at);
    if (kind == JSON_OBJECT) at++;
    at = choose(c, at, depth + 1);
  }
  return at;
}

static size_t count_texts(const json_tape *tape) {
  size_t n = 0;
  for (size_t i = 0; i < tape->count; i++) {
    json_kind kind = json_kind_of(tape->tokens[i]);
    if (kind == JSON_TEXT || kind == JSON_ESCAPED) n++;
    if (kind == JSON_INTEGER || kind == JSON_DOUBLE) i++;
  }
  return n;
}

/* The name of a member of the whole, or NULL. */
static const char *draw_padding(char out[MAX_KEY], const char *text, const json_tape *tape) {
  if (json_kind_of(tape->tokens[0]) != JSON_OBJECT || json_size(tape->tokens[0]) == 0) return NULL;
  return draw(2) == 0 ? copy_key(out, text, tape->tokens[1]) : NULL;
}

/* ---- edited texts ---- */

typedef struct edited {
  char bytes[MAX_TEXT + MAX_EDIT + 1];
  size_t n;
} edited;

static void replace(edited *e, size_t at, size_t old, const char *new, size_t n) {
  memmove(e->bytes + at + n, e->bytes + at + old, e->n - at - old);
  memcpy(e->bytes + at, new, n);
  e->n += n - old;
  e->bytes[e->n] = '\0';
}

static void edit(edited *e, const json_hole *hole) {
  static const char *const pieces[] = {"",     " word",       "\\n",  "\\\"",   "\\u0041",
                                       "\\",   "\"",          "\\x",  "\n",     "\xC3\xA4",
                                       "\xFF", "\",\"a\":\"", "\\\\", "\\/\\b", "\\ud83d"};
  static const char bytes[] = "\"\\{}[]:,0e-.ntux \n\x01\xFF";
  const char *piece = pieces[draw(sizeof pieces / sizeof *pieces)];
  size_t at = draw(e->n), length = hole->end - hole->begin;
  switch (draw(5)) {
  case 0: replace(e, hole->begin, length, piece, strlen(piece)); break;
  case 1: replace(e, hole->begin + draw(length + 1), 0, piece, strlen(piece)); break;
  case 2: replace(e, at, 1, bytes + draw(sizeof bytes - 1), 1); break;
  case 3: replace(e, at, 0, bytes + draw(sizeof bytes - 1), 1); break;
  default: replace(e, at, 1, "", 0); break;
  }
}

/* ---- the whole parse ---- */

static bool has_unicode_escape(const char *at, size_t n) {
  for (size_t i = 0; i + 1 < n; i++) {
    if (at[i] != '\\') continue;
    if (at[i + 1] == 'u') return true;
    i++;
  }
  return false;
}

/* Whether the bytes around the open texts are the same, and the texts are such as can be told from
 * their bytes alone. `tape` is of `text`; the same tokens stand for the same texts then. */
static bool is_like(const json_alike *like, const json_tape *tape, const char *text, size_t n) {
  const char *learned = buffer_bytes(&like->text);
  size_t from = 0, at = 0, learned_n = buffer_length(&like->text) - 1;
  if (tape->count != like->tape.count) return false;
  for (size_t i = 0; i < like->holes; i++) {
    const json_hole *hole = &like->open[i];
    json_token token = tape->tokens[hole->token];
    json_kind kind = json_kind_of(token);
    size_t same = hole->begin - from;
    if (kind != JSON_TEXT && kind != JSON_ESCAPED) return false;
    if (json_at(token) + json_size(token) > n) return false;
    if (json_at(token) != at + same || memcmp(text + at, learned + from, same) != 0) return false;
    if (has_unicode_escape(text + json_at(token), json_size(token))) return false;
    from = hole->end;
    at = json_at(token) + json_size(token);
  }
  return n - at == learned_n - from && memcmp(text + at, learned + from, n - at) == 0;
}

static void check_pieces(const json_alike *like, const json_tape *tape, const char *text,
                         const char *block, const json_piece pieces[JSON_HOLES]) {
  for (size_t i = 0; i < like->holes; i++) {
    json_token token = tape->tokens[like->open[i].token];
    const json_piece *piece = &pieces[like->open[i].role];
    demand(piece->n == json_size(token), "a piece is as long as its text");
    demand(piece->at == block + json_at(token), "a piece lies where its text does");
    demand(memcmp(piece->at, text + json_at(token), piece->n) == 0, "a piece is its text");
    demand(piece->escaped == (json_kind_of(token) == JSON_ESCAPED), "a piece tells its escapes");
  }
}

/* In a block of its own, without a 0, so that reading past it is seen. */
static void check_match(const json_alike *like, const edited *e) {
  json_tape tape = {0};
  json_piece pieces[JSON_HOLES];
  char *block = malloc(e->n + (e->n == 0));
  demand(block != NULL, "memory");
  memcpy(block, e->bytes, e->n);
  bool matches = json_alike_match(like, block, e->n, pieces);
  bool is_json = json_parse(&tape, e->bytes, e->n) == JSON_OK;
  demand(!matches || is_json, "what is like JSON is JSON");
  demand(matches == (is_json && is_like(like, &tape, e->bytes, e->n)),
         "a text is like another when they differ in the open texts alone");
  if (matches) check_pieces(like, &tape, e->bytes, block, pieces);
  json_tape_free(&tape);
  free(block);
}

/* ---- all of it ---- */

static void check_edits(const json_alike *like, const char *text, size_t n) {
  static edited e;
  for (int i = 0; i <= EDITS; i++) {
    memcpy(e.bytes, text, n);
    e.bytes[n] = '\0';
    e.n = n;
    if (i > 0) edit(&e, &like->open[draw(like->holes)]);
    check_match(like, &e);
  }
}

void alike_check(const char *text, size_t n, uint32_t number) {
  json_alike like = {0};
  json_tape tape = {0};
  choice c = {.text = text};
  char key[MAX_KEY];
  drawn = number;
  bool is_json = n > 0 && n <= MAX_TEXT && json_parse(&tape, text, n) == JSON_OK;
  if (is_json && tape.depth <= 32) {
    c.skip = draw(count_texts(&tape));
    choose(&c, tape.tokens, 0);
  }
  if (c.found != NULL && c.steps <= MAX_STEPS) {
    bool known = json_alike_learn(&like, text, n, c.path, c.steps, draw_padding(key, text, &tape));
    if (known) check_edits(&like, text, n);
  }
  json_alike_free(&like);
  json_tape_free(&tape);
}
