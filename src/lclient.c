/* lclient.c: the client object: owns its transfers, knows its loop, and carries
 * the table that client.lua calls its configuration, unread. What is the same
 * for all its calls is read once, as it is made, out of its options.
 *
 * The verbs (chat, embeddings, ...) are added to its methods by client.lua.
 */
#include "lcore.h"

#include "clock.h"
#include "lheaders.h"

#define CLIENT "llm_gateway.core.client"

typedef struct lua_client {
  bool open;
  list transfers;
  transfer_options options; /* of every call; the user value keeps its texts alive */
  request_url *url;         /* of the last call, or NULL */
} lua_client;

/* What the table that is a client's user value has; the texts of its options stand behind. */
enum { LOOP = 1, CONFIG, TEXTS };

/* ---- options: fields of the table at `i` ---- */

/* The table keeps the text alive. */
static const char *text_field(lua_State *L, int i, const char *name) {
  lua_getfield(L, i, name);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1);
  return text;
}

static bool flag_field(lua_State *L, int i, const char *name) {
  lua_getfield(L, i, name);
  bool flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

static int64_t duration(double seconds) {
  int64_t ns = clock_from_seconds(seconds);
  return seconds > 0 && ns == 0 ? 1 : ns;
}

/* Sets a clock where the table has it; false becomes 0, no limit. */
static void read_duration(lua_State *L, int i, const char *name, int64_t *clock) {
  lua_getfield(L, i, name);
  if (!lua_isnil(L, -1)) *clock = duration(lua_tonumber(L, -1));
  lua_pop(L, 1);
}

/* 0, no limit, where the table has false, or more than any answer could have. */
static size_t size_field(lua_State *L, int i, const char *name) {
  lua_getfield(L, i, name);
  double bytes = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return bytes >= 1 && bytes < (double)SSE_MOST_BYTES ? (size_t)bytes : 0;
}

/* What a call may have of its own, too. */
static void read_clocks(lua_State *L, int i, transfer_options *o) {
  read_duration(L, i, "connect_timeout", &o->connect_timeout);
  read_duration(L, i, "timeout", &o->timeout);
  read_duration(L, i, "event_timeout", &o->event_timeout);
}

static void read_options(lua_State *L, int i, transfer_options *o) {
  read_clocks(L, i, o);
  o->http2 = flag_field(L, i, "http2");
  o->insecure = flag_field(L, i, "insecure");
  o->max_body_bytes = size_field(L, i, "max_response_bytes");
  o->max_event_bytes = size_field(L, i, "max_event_bytes");
}

/* A text that the table at `keeper` keeps alive under n: whose option it is may change it. */
static const char *kept_text(lua_State *L, int i, const char *name, int keeper, int n) {
  const char *text = text_field(L, i, name);
  lua_getfield(L, i, name);
  lua_rawseti(L, keeper, n);
  return text;
}

static void read_texts(lua_State *L, int i, int keeper, transfer_options *o) {
  o->proxy = kept_text(L, i, "proxy", keeper, TEXTS);
  o->ca_file = kept_text(L, i, "ca_file", keeper, TEXTS + 1);
  o->ca_path = kept_text(L, i, "ca_path", keeper, TEXTS + 2);
  o->client_cert = kept_text(L, i, "client_cert", keeper, TEXTS + 3);
  o->client_key = kept_text(L, i, "client_key", keeper, TEXTS + 4);
}

/* ---- a client ---- */

/* client(loop, config, options) -> client object. loop: a loop object; config: what config()
 * returns; options: a table with the options of every call, which is read now: connect_timeout,
 * timeout, event_timeout (seconds; false: no limit), http2, insecure, max_response_bytes,
 * max_event_bytes, proxy, ca_file, ca_path, client_cert, client_key. */
int lclient_new(lua_State *L) {
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  lua_client *c = lcore_new(L, sizeof *c, CLIENT);
  list_init(&c->transfers);
  lua_createtable(L, TEXTS + 4, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 5, LOOP);
  lua_pushvalue(L, 2);
  lua_rawseti(L, 5, CONFIG);
  read_options(L, 3, &c->options);
  read_texts(L, 3, 5, &c->options);
  compat_setuservalue(L, 4);
  c->open = true;
  return 1;
}

/* Every transfer keeps its client alive; at lua_close they may end in any order. */
static int l_close(lua_State *L) {
  lua_client *c = lcore_check(L, 1, CLIENT);
  if (!c->open) return 0;
  c->open = false;
  request_url_drop(c->url);
  c->url = NULL;
  transfer_close_group(&c->transfers);
  return 0;
}

/* config(x) -> the configuration of a client, whether it is open | nil when x is no client */
int lclient_config(lua_State *L) {
  luaL_checkany(L, 1);
  const lua_client *c = compat_testudata(L, 1, CLIENT);
  if (c == NULL) return 0;
  compat_getuservalue(L, 1);
  lua_rawgeti(L, -1, CONFIG);
  lua_pushboolean(L, c->open);
  return 2;
}

/* ---- sending ---- */

static void add_headers(lua_State *L, transfer *t) {
  lua_getfield(L, 2, "headers");
  lheaders_give(L, lua_gettop(L), t);
  lua_pop(L, 1);
}

/* Most calls of a client go where the last one went. What libcurl cannot take apart here it refuses
 * later. */
static void add_url(lua_client *c, transfer *t, const char *url) {
  if (c->url == NULL || !request_url_is(c->url, url)) {
    request_url_drop(c->url);
    c->url = request_url_new(url);
  }
  if (c->url != NULL) transfer_use_url(t, c->url);
}

static bool add_body(lua_State *L, transfer *t) {
  size_t n;
  lua_getfield(L, 2, "body");
  const char *body = lua_tolstring(L, -1, &n);
  if (body != NULL && transfer_add_body(t, body, n) != 0) lcore_no_memory(L);
  lua_pop(L, 1);
  return body != NULL;
}

static void read_request(lua_State *L, transfer_options *o) {
  o->method = text_field(L, 2, "method");
  o->url = text_field(L, 2, "url");
  luaL_argcheck(L, o->method != NULL && o->url != NULL, 2, "method and url expected");
  o->stream = flag_field(L, 2, "stream");
  o->fresh = flag_field(L, 2, "fresh");
  o->tell_progress = flag_field(L, 2, "on_progress");
  if (flag_field(L, 2, "is_unlimited")) o->max_body_bytes = 0;
  read_duration(L, 2, "seconds_left", &o->total_timeout);
  lua_getfield(L, 2, "own");
  if (lua_istable(L, -1)) read_clocks(L, lua_gettop(L), o);
  lua_pop(L, 1);
}

/* send(client, request) -> transfer object | nil, facts.
 * request: method, url, headers (a list of lines, or what
 * header_lines made of one), stream, fresh, on_progress (anything that is
 * true), is_unlimited (max_response_bytes does not hold), seconds_left (of all of it; nil for no
 * limit), own (nil, or a table of clocks in place of the client's), body (text or nil), multipart
 * and into (see lform.c). It keeps the texts alive. */
int lclient_send(lua_State *L) {
  lua_client *c = lcore_check(L, 1, CLIENT);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  transfer_options options = c->options;
  read_request(L, &options);
  compat_getuservalue(L, 1);
  lua_rawgeti(L, 3, LOOP);
  transfer *t = ltransfer_push(L, 4, 1); /* may have closed anything: only now is `open` sure */
  luaL_argcheck(L, c->open, 1, "the client is closed");
  transfer_join_group(t, &c->transfers);
  add_url(c, t, options.url);
  add_headers(L, t);
  options.has_body = add_body(L, t);
  int pushed = lform_add(L, 2, t);
  if (pushed != 0) return pushed;
  if (transfer_start(t, &options) == 0) return 1;
  lua_pushnil(L);
  ltransfer_push_failure(L, t);
  return 2;
}

static const luaL_Reg methods[] = {{NULL, NULL}};

void lclient_open(lua_State *L) {
  lcore_class(L, CLIENT, methods, l_close, l_close);
}
