/* json_alike.h: JSON texts that differ from one that was read before in a single one of its texts.
 *
 *   json_alike like = {0};
 *   if (json_alike_learn(&like, text, n, path, steps))
 *     while (next(&other, &m) && json_alike_match(&like, other, m, &piece)) use(piece.at, piece.n);
 *   json_alike_free(&like);
 *
 * The events of a stream repeat each other, but for the piece of text that each
 * brings. One that is like another needs no grammar: its bytes before and after
 * the piece are the same, and the piece is a text that is well formed. Nothing
 * is known here of what the other texts mean. Leans on json.h and buffer.h.
 */
#ifndef LLMG_JSON_ALIKE_H
#define LLMG_JSON_ALIKE_H

#include "buffer.h"
#include "json.h"
LLMG_HIDDEN_BEGIN

/* A zeroed one knows nothing. */
typedef struct json_alike {
  buffer text;       /* that was learned, and a 0 */
  json_tape tape;    /* of it */
  size_t hole;       /* the token of the text that may differ */
  size_t begin, end; /* where its bytes stand in `text`, between the quotes */
  bool known;        /* whether something was learned */
} json_alike;

/* A step into a value: to the member `key` of an object, or, where that is NULL, to the item `item`
 * (from 0) of a list. */
typedef struct json_step {
  const char *key;
  size_t item;
} json_step;

/* The bytes of the text that differs, between its quotes. */
typedef struct json_piece {
  const char *at;
  size_t n;
  bool escaped; /* json_unescape has to read it; it has no \u */
} json_piece;

/* Learns a text, in place of what was known: others may differ in the text to which the path leads.
 * Returns whether it is of use: it is JSON and not long, each key on the path stands there once. */
bool json_alike_learn(json_alike *like, const char *text, size_t n, const json_step *path,
                      size_t steps);

/* Whether `n` bytes are JSON that differs from what was learned in that text at most; then *piece
 * is it. */
bool json_alike_match(const json_alike *like, const char *text, size_t n, json_piece *piece);

/* Frees what it holds; it knows nothing afterwards. */
void json_alike_free(json_alike *like);

LLMG_HIDDEN_END
#endif
