/* json_alike.h: JSON texts that differ from one that was read before in one or two of its texts.
 *
 *   json_alike like = {0};
 *   if (json_alike_learn(&like, text, n, path, steps, NULL))
 *     while (next(&other, &m) && json_alike_match(&like, other, m, pieces)) use(&pieces[0]);
 *   json_alike_free(&like);
 *
 * The events of a stream repeat each other, but for the piece of text that each
 * brings, and for padding where a server hides its length. One that is like
 * another needs no grammar: its bytes around these texts are the same, and they
 * are well formed. Nothing is known here of what the other texts mean. Leans on
 * json.h and buffer.h.
 */
#ifndef LLMG_JSON_ALIKE_H
#define LLMG_JSON_ALIKE_H

#include "buffer.h"
#include "json.h"
LLMG_HIDDEN_BEGIN

enum {
  JSON_PIECE,   /* the text at the end of the path */
  JSON_PADDING, /* the other that may differ */
  JSON_HOLES
};

/* A text that may differ. */
typedef struct json_hole {
  size_t token;      /* its place on the tape */
  size_t begin, end; /* where its bytes stand in the learned text, between the quotes */
  int role;          /* JSON_PIECE or JSON_PADDING */
} json_hole;

/* A zeroed one knows nothing. */
typedef struct json_alike {
  buffer text;                /* that was learned, and a 0 */
  json_tape tape;             /* of it */
  json_hole open[JSON_HOLES]; /* as they come in the text */
  size_t holes;               /* how many there are; 0 while nothing was learned */
} json_alike;

/* A step into a value: to the member `key` of an object, or, where that is NULL, to the item `item`
 * (from 0) of a list. */
typedef struct json_path_step {
  const char *key;
  size_t item;
} json_path_step;

/* The bytes of the text that differs, between its quotes. */
typedef struct json_piece {
  const char *at;
  size_t n;
  bool escaped; /* json_unescape has to read it; it has no \u */
} json_piece;

/* Learns a text, in place of what was known: others may differ in the text to which the path leads,
 * and in the one that the whole has as its member `padding`, if that is given and there. Returns
 * whether it is of use: it is JSON and not long, each key on the path stands there once. */
bool json_alike_learn(json_alike *like, const char *text, size_t n, const json_path_step *path,
                      size_t steps, const char *padding);

/* Whether `n` bytes are JSON that differs from what was learned in these texts at most; then
 * pieces[JSON_PIECE] and, if there is one, pieces[JSON_PADDING] are these. */
bool json_alike_match(const json_alike *like, const char *text, size_t n,
                      json_piece pieces[JSON_HOLES]);

/* Frees what it holds; it knows nothing afterwards. */
void json_alike_free(json_alike *like);

LLMG_HIDDEN_END
#endif
