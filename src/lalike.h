/* lalike.h: events of a stream that are like one before, for ltransfer.c: json_alike.h with what
 * Lua wants of it.
 *
 * Whoever reads a stream says which chunk is of a kind whose like it need not
 * look at; such events become tables, or texts, without being parsed.
 */
#ifndef LLMG_LALIKE_H
#define LLMG_LALIKE_H

#include "json_alike.h"
#include "lcore.h"
LLMG_HIDDEN_BEGIN

/* A zeroed one knows of nothing. */
typedef struct lalike {
  json_alike like;
  bool in_use;      /* a value is being made of it: what it knows may not change */
  unsigned in_vain; /* how often in a row it learned, and no event was like that */
  buffer pieces;    /* the beginning of those that were added, to be taken */
  size_t kept;      /* bytes in all that `pieces` had */
  size_t limit;     /* for these */
} lalike;

/* Learns the event whose data is given; on the stack from `first` on are the name of the padding,
 * or nil, and the path. The transfer object is at 1. Returns whether any may be alike. */
bool lalike_learn(lua_State *L, lalike *a, const buffer *data, int first);

/* Whether it is worth while to learn another. */
bool lalike_may_learn(const lalike *a);

/* Whether an event is alike. */
bool lalike_match(const lalike *a, const sse_event *event, json_piece pieces[JSON_HOLES]);

/* Adds a piece to `out` and to those that are kept. Returns false without memory. */
bool lalike_add(lalike *a, buffer *out, const json_piece *piece);

/* The text of an event's padding becomes what `out` has. Returns false without memory. */
bool lalike_copy_padding(const lalike *a, buffer *out, const json_piece *padding);

/* Pushes the value of an event, instead of its piece and its padding, which are on top of the
 * stack. The transfer object is at 1. */
void lalike_push(lua_State *L, lalike *a);

/* Moves the pieces that are kept to `into`, which is empty. */
void lalike_take_pieces(lalike *a, buffer *into);

void lalike_free(lalike *a);

LLMG_HIDDEN_END
#endif
