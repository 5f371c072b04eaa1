/* ltransfer.c: the transfer object: transfer.h for the Lua above it.
 *
 * A pull returns what it found, or false when there is nothing yet, or nil at
 * the end, or nil and a table of facts about the failure. It never waits.
 */
#include "lcore.h"

#include <stdio.h>

#include "clock.h"
#include "lalike.h"
#include "lhead.h"

#define TRANSFER    "llm_gateway.core.transfer"
#define MAX_AT_ONCE 64 /* events; whoever reads many has others wait */

typedef struct lua_transfer {
  transfer *transfer; /* NULL when closed */
  lcore_place place;  /* for what is being pushed */
  buffer chunk;       /* the data of the last chunk: see l_data */
  lalike alike;       /* what the next events may be like */
} lua_transfer;

static lua_transfer *check_object(lua_State *L) {
  lua_transfer *u = lcore_check(L, 1, TRANSFER);
  if (u->transfer == NULL) luaL_error(L, "the transfer is closed");
  return u;
}

static lua_transfer *check(lua_State *L) {
  lua_transfer *u = check_object(L);
  lloop_check_process(L, transfer_member(u->transfer)->loop);
  return u;
}

transfer *ltransfer_push(lua_State *L, int owner, int keeper) {
  lua_transfer *u = lcore_new(L, sizeof *u, TRANSFER);
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, keeper);
  lua_rawseti(L, -2, 1);
  compat_setuservalue(L, -2);
  u->transfer = transfer_new(lloop_check(L, owner));
  if (u->transfer == NULL) lcore_no_memory(L);
  transfer_member(u->transfer)->owner = u;
  return u->transfer;
}

static int l_close(lua_State *L) {
  lua_transfer *u = lcore_check(L, 1, TRANSFER);
  transfer *t = u->transfer;
  u->transfer = NULL;
  transfer_free(t);
  return 0;
}

static int l_gc(lua_State *L) {
  lua_transfer *u = lcore_check(L, 1, TRANSFER);
  lcore_free_places(&u->place);
  buffer_free(&u->chunk);
  lalike_free(&u->alike);
  return l_close(L);
}

/* transfer:release(): closed for its user, while its connection may end well and be used again. */
static int l_release(lua_State *L) {
  lua_transfer *u = lcore_check(L, 1, TRANSFER);
  transfer *t = u->transfer;
  u->transfer = NULL;
  if (t != NULL) transfer_release(t);
  return 0;
}

/* transfer:id() -> what loop:ready() calls it */
static int l_id(lua_State *L) {
  lua_pushlightuserdata(L, lcore_check(L, 1, TRANSFER));
  return 1;
}

/* ---- failures ---- */

static void set_text(lua_State *L, const char *name, const char *text) {
  if (text == NULL) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool flag) {
  lua_pushboolean(L, flag);
  lua_setfield(L, -2, name);
}

/* {class, clock, limit_name, text, sent, lost_unanswered, not_processed, proxy_status} */
void ltransfer_push_failure(lua_State *L, const transfer *t) {
  char text[FAILURE_TEXT];
  const failure why = *transfer_failure_of(t);
  const failure_name *name = failure_name_of(why.class);
  snprintf(text, sizeof text, "%s", failure_text(&why));
  bool sent = transfer_was_sent(t), unanswered = transfer_was_lost_unanswered(t);
  bool not_processed = transfer_was_not_processed(t);
  lua_createtable(L, 0, 8);
  set_text(L, "class", name->class);
  set_text(L, "clock", name->clock);
  set_text(L, "limit_name", name->limit);
  set_text(L, "text", text);
  set_flag(L, "sent", sent);
  set_flag(L, "lost_unanswered", unanswered);
  set_flag(L, "not_processed", not_processed);
  if (why.proxy_status == 0) return;
  lua_pushinteger(L, why.proxy_status);
  lua_setfield(L, -2, "proxy_status");
}

/* What a pull returns when it has nothing to hand over. */
static int push_nothing(lua_State *L, const transfer *t, transfer_status status) {
  if (status == TRANSFER_WAIT) {
    lua_pushboolean(L, 0);
    return 1;
  }
  lua_pushnil(L);
  if (status == TRANSFER_END) return 1;
  ltransfer_push_failure(L, t);
  return 2;
}

/* ---- the head, and a whole body ---- */

/* Takes the body that is READY, and what is told of how long it took; the transfer is closed. */
static lcore_place *take_body(lua_State *L, lua_transfer *u, transfer_timings *timings) {
  transfer *t = u->transfer;
  lcore_place *place = lcore_take_place(L, &u->place);
  transfer_take_body(t, &place->bytes);
  transfer_get_timings(t, timings);
  u->transfer = NULL;
  transfer_free(t);
  return place;
}

static void push_place(lua_State *L, lcore_place *place) {
  lua_pushlstring(L, buffer_bytes(&place->bytes), buffer_length(&place->bytes));
  lcore_leave_place(place);
}

/* The same of what is not pushed often: the place keeps no block. */
static void push_once(lua_State *L, lcore_place *place) {
  push_place(L, place);
  buffer_free(&place->bytes);
}

static int push_body(lua_State *L, lcore_place *place, const transfer_timings *timings) {
  push_place(L, place);
  lhead_push_times(L, timings);
  return 2;
}

/* transfer:head() -> status, head (the lines as they came; once), is_event_stream and, where all of
 * it has come and is no event stream, what body() returns | false | nil, facts */
static int l_head(lua_State *L) {
  const buffer *body;
  transfer_timings timings;
  lua_transfer *u = check(L);
  transfer *t = u->transfer;
  transfer_status status = transfer_head(t);
  if (status != TRANSFER_READY) return push_nothing(L, t, status);
  bool is_event_stream = transfer_is_event_stream(t);
  bool is_whole = !is_event_stream && transfer_body(t, &body) == TRANSFER_READY;
  lcore_place *head = lcore_take_place(L, &u->place);
  transfer_take_headers(t, &head->bytes);
  lua_pushinteger(L, transfer_http_status(t));
  lcore_place *text = is_whole ? take_body(L, u, &timings) : NULL;
  push_once(L, head);
  lua_pushboolean(L, is_event_stream);
  return 3 + (is_whole ? push_body(L, text, &timings) : 0);
}

/* transfer:body() -> text, times | false | nil, facts. With its text the transfer is closed. */
static int l_body(lua_State *L) {
  const buffer *body;
  transfer_timings timings;
  lua_transfer *u = check(L);
  transfer_status status = transfer_body(u->transfer, &body);
  if (status != TRANSFER_READY) return push_nothing(L, u->transfer, status);
  return push_body(L, take_body(L, u, &timings), &timings);
}

/* transfer:pull() -> data, event name | nil ("message"), unfinished, id | nil | false | nil | nil,
 * facts. unfinished: the answer ended before the event's blank line. */
static int l_pull(lua_State *L) {
  sse_event event;
  bool unfinished;
  lua_transfer *u = check(L);
  transfer_status status = transfer_next(u->transfer, &event, &unfinished);
  if (status != TRANSFER_READY) return push_nothing(L, u->transfer, status);
  lcore_place *place = lcore_keep_event(L, &u->place, &event);
  lua_pushlstring(L, event.data, event.data_length);
  if (event.type_length == 0)
    lua_pushnil(L);
  else
    lua_pushlstring(L, event.type, event.type_length);
  lua_pushboolean(L, unfinished);
  if (event.id_length == 0)
    lua_pushnil(L);
  else
    lua_pushlstring(L, event.id, event.id_length);
  lcore_leave_place(place);
  return 4;
}

/* transfer:limit_events(seconds): see transfer_limit_events */
static int l_limit_events(lua_State *L) {
  lua_transfer *u = check(L);
  transfer_limit_events(u->transfer, (int64_t)(luaL_checknumber(L, 2) * (double)ONE_SECOND));
  return 0;
}

/* transfer:chunk() -> table, name | nil ("message"), halves, unfinished     the event's JSON,
 * decoded
 *                  -> text, name | nil, message | nil, unfinished           what is no JSON table:
 * "[DONE]",
 *                     "", a number; message says what is wrong with it as JSON, where anything is
 *                  -> false | nil | nil, facts                              as pull()
 * The same events as pull()'s, without a text that nobody keeps. halves (true or nil): a text in
 * the table begins or ends with half a surrogate pair, as json_decode leaves it with keep_halves.
 */
static int l_chunk(lua_State *L) {
  sse_event event;
  bool unfinished;
  lua_transfer *u = check(L);
  transfer_status status = transfer_next(u->transfer, &event, &unfinished);
  if (status != TRANSFER_READY) return push_nothing(L, u->transfer, status);
  ljson_push_event(L, &event, &u->chunk);
  lua_pushboolean(L, unfinished);
  return 4;
}

/* transfer:data() -> the text of the event that chunk() returned last; to be asked before the next
 * call on the transfer */
static int l_data(lua_State *L) {
  lua_transfer *u = lcore_check(L, 1, TRANSFER);
  lcore_place *place = lcore_keep(L, &u->place, buffer_bytes(&u->chunk), buffer_length(&u->chunk));
  lua_pushlstring(L, buffer_bytes(&place->bytes), buffer_length(&place->bytes));
  lcore_leave_place(place);
  return 1;
}

/* ---- events that are like the last: see lalike.h ---- */

/* transfer:learn(limit, padding, path...) -> whether any may be alike | nil: no further try is
 * worth while. From now on the events are held against the one that chunk() returned last, which
 * had no name: alike are those that differ from it at most in the text at `path` (keys, and places
 * in lists), their piece, and in that of the member `padding` (or nil), if there is one. The first
 * `limit` bytes of all pieces are kept for pieces(). */
static int l_learn(lua_State *L) {
  lua_transfer *u = lcore_check(L, 1, TRANSFER);
  u->alike.limit = (size_t)luaL_checknumber(L, 2);
  bool known = lalike_learn(L, &u->alike, &u->chunk, 3);
  if (known) buffer_free(&u->chunk); /* it has its own copy, and streams may be many */
  if (known || lalike_may_learn(&u->alike))
    lua_pushboolean(L, known);
  else
    lua_pushnil(L);
  return 1;
}

/* Whether the next event is alike. */
static bool match(lua_State *L, lua_transfer *u, json_piece pieces[JSON_HOLES]) {
  sse_event event;
  if (u->transfer == NULL) return false;
  lloop_check_process(L, transfer_member(u->transfer)->loop);
  return transfer_peek(u->transfer, &event) && lalike_match(&u->alike, &event, pieces);
}

/* What alike_chunk() returns without a chunk. */
static int push_no_chunk(lua_State *L, lua_transfer *u) {
  if (u->transfer == NULL || !transfer_waits(u->transfer)) return 0;
  lua_pushboolean(L, 0);
  lua_pushlightuserdata(L, u);
  return 2;
}

/* transfer:alike_chunk() -> table | false, id() | nothing: what chunk() would return, if that is
 * alike, or that nothing has come yet */
static int l_alike_chunk(lua_State *L) {
  json_piece pieces[JSON_HOLES] = {{0}};
  lcore_copy piece, padding;
  lua_transfer *u = lcore_check(L, 1, TRANSFER);
  if (!match(L, u, pieces)) return push_no_chunk(L, u);
  buffer *text = lcore_open_copy(L, &u->place, &piece, pieces[JSON_PIECE].n);
  buffer *filler = lcore_open_copy(L, &u->place, &padding, pieces[JSON_PADDING].n);
  if (!lalike_copy_padding(&u->alike, filler, &pieces[JSON_PADDING]) ||
      !lalike_add(&u->alike, text, &pieces[JSON_PIECE])) {
    lcore_leave_copy(&piece);
    lcore_leave_copy(&padding);
    lcore_no_memory(L);
  }
  transfer_drop(u->transfer);
  lcore_push_copy(L, &piece);
  lcore_push_copy(L, &padding);
  lalike_push(L, &u->alike);
  return 1;
}

/* transfer:alike_text() -> piece | nothing: the same without its table */
static int l_alike_text(lua_State *L) {
  json_piece pieces[JSON_HOLES];
  lcore_copy piece;
  lua_transfer *u = lcore_check(L, 1, TRANSFER);
  if (!match(L, u, pieces)) return 0;
  if (!lalike_add(&u->alike, lcore_open_copy(L, &u->place, &piece, pieces[JSON_PIECE].n),
                  &pieces[JSON_PIECE])) {
    lcore_leave_copy(&piece);
    lcore_no_memory(L);
  }
  transfer_drop(u->transfer);
  lcore_push_copy(L, &piece);
  return 1;
}

/* transfer:alike_texts() -> pieces | nothing: the same of several events that are here, joined */
static int l_alike_texts(lua_State *L) {
  json_piece pieces[JSON_HOLES];
  lua_transfer *u = lcore_check(L, 1, TRANSFER);
  if (!match(L, u, pieces)) return 0;
  lcore_place *place = lcore_take_place(L, &u->place);
  int left = MAX_AT_ONCE;
  do {
    if (!lalike_add(&u->alike, &place->bytes, &pieces[JSON_PIECE])) {
      lcore_leave_place(place);
      lcore_no_memory(L);
    }
    transfer_drop(u->transfer);
  } while (--left > 0 && match(L, u, pieces));
  push_once(L, place);
  return 1;
}

/* transfer:pieces() -> those of all alike events since it was last asked, joined | nothing */
static int l_pieces(lua_State *L) {
  lua_transfer *u = lcore_check(L, 1, TRANSFER);
  if (buffer_length(&u->alike.pieces) == 0) return 0;
  lcore_place *place = lcore_take_place(L, &u->place);
  lalike_take_pieces(&u->alike, &place->bytes);
  push_place(L, place);
  return 1;
}

/* ---- figures ---- */

/* transfer:times() -> what timings() makes a table of */
static int l_times(lua_State *L) {
  transfer_timings timings;
  transfer_get_timings(check_object(L)->transfer, &timings);
  lhead_push_times(L, &timings);
  return 1;
}

/* transfer:progress() -> bytes of the body that were sent, how many there are, bytes that came */
static int l_progress(lua_State *L) {
  transfer_progress_bytes bytes = transfer_get_progress(check_object(L)->transfer);
  lua_pushinteger(L, (lua_Integer)bytes.sent);
  lua_pushinteger(L, (lua_Integer)bytes.to_send);
  lua_pushinteger(L, (lua_Integer)bytes.received);
  return 3;
}

static const luaL_Reg methods[] = {{"id", l_id},
                                   {"head", l_head},
                                   {"body", l_body},
                                   {"pull", l_pull},
                                   {"chunk", l_chunk},
                                   {"data", l_data},
                                   {"learn", l_learn},
                                   {"alike_chunk", l_alike_chunk},
                                   {"alike_text", l_alike_text},
                                   {"alike_texts", l_alike_texts},
                                   {"pieces", l_pieces},
                                   {"release", l_release},
                                   {"limit_events", l_limit_events},
                                   {"times", l_times},
                                   {"progress", l_progress},
                                   {NULL, NULL}};

void ltransfer_open(lua_State *L) {
  lcore_class(L, TRANSFER, methods, l_close, l_gc);
  lcore_hide(L, TRANSFER);
}
