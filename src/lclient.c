/* lclient.c: the client object: owns its transfers, knows its loop and carries
 * its configuration, so that neither a key nor a setting lies about in Lua.
 *
 * The verbs (chat, embeddings, ...) are added to its methods by client.lua.
 */
#include "lcore.h"

#include "clock.h"

#define CLIENT     "llm_gateway.core.client"
#define NO_LIMIT   ((size_t)1 << (sizeof(size_t) * 8 - 4))
#define LOOP_FIELD "core_loop"

typedef struct lua_client {
  bool open;
  list transfers;
} lua_client;

/* client(config) -> client object; config.core_loop is its loop object. */
int lclient_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_client *c = lcore_new(L, sizeof *c, CLIENT);
  lua_pushvalue(L, 1);
  compat_setuservalue(L, -2);
  list_init(&c->transfers);
  c->open = true;
  return 1;
}

/* Every transfer keeps its client alive; at lua_close they may end in any order. */
static int l_close(lua_State *L) {
  lua_client *c = luaL_checkudata(L, 1, CLIENT);
  if (!c->open) return 0;
  c->open = false;
  transfer_close_group(&c->transfers);
  return 0;
}

/* config(x) -> the configuration of a client, whether it is open | nil when x is no client */
int lclient_config(lua_State *L) {
  luaL_checkany(L, 1);
  const lua_client *c = compat_testudata(L, 1, CLIENT);
  if (c == NULL) return 0;
  compat_getuservalue(L, 1);
  lua_pushboolean(L, c->open);
  return 2;
}

/* ---- sending ---- */

static const char *text_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1); /* the request keeps the text alive */
  return text;
}

static bool flag_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  bool flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

static double number_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  double number = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return number;
}

static int64_t duration_field(lua_State *L, const char *name) {
  double seconds = number_field(L, name);
  int64_t ns = clock_from_seconds(seconds);
  return seconds > 0 && ns == 0 ? 1 : ns;
}

static size_t size_field(lua_State *L, const char *name) {
  double bytes = number_field(L, name);
  return bytes >= 1 && bytes < (double)NO_LIMIT ? (size_t)bytes : NO_LIMIT;
}

static void read_options(lua_State *L, transfer_options *o) {
  o->method = text_field(L, "method");
  o->url = text_field(L, "url");
  o->stream = flag_field(L, "stream");
  o->fresh = flag_field(L, "fresh");
  o->http2 = flag_field(L, "http2");
  o->tell_progress = flag_field(L, "tell_progress");
  o->insecure = flag_field(L, "insecure");
  o->connect_timeout = duration_field(L, "connect_timeout");
  o->timeout = duration_field(L, "timeout");
  o->event_timeout = duration_field(L, "event_timeout");
  o->total_timeout = duration_field(L, "total_timeout");
  o->max_body_bytes = size_field(L, "max_response_bytes");
  o->max_event_bytes = size_field(L, "max_event_bytes");
  o->proxy = text_field(L, "proxy");
  o->ca_file = text_field(L, "ca_file");
  o->ca_path = text_field(L, "ca_path");
  o->client_cert = text_field(L, "client_cert");
  o->client_key = text_field(L, "client_key");
  luaL_argcheck(L, o->method != NULL && o->url != NULL, 2, "method and url expected");
}

static int check_memory(lua_State *L, int status) {
  return status == 0 ? 0 : luaL_error(L, "not enough memory");
}

static void add_headers(lua_State *L, transfer *t) {
  lua_getfield(L, 2, "headers");
  luaL_checktype(L, -1, LUA_TTABLE);
  for (int i = 1;; i++) {
    lua_rawgeti(L, -1, i);
    const char *line = lua_tostring(L, -1);
    if (line == NULL) break;
    check_memory(L, transfer_add_header(t, line));
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}

static bool add_body(lua_State *L, transfer *t) {
  size_t n;
  lua_getfield(L, 2, "body");
  const char *body = lua_tolstring(L, -1, &n);
  if (body != NULL) check_memory(L, transfer_add_body(t, body, n));
  lua_pop(L, 1);
  return body != NULL;
}

/* send(client, request) -> transfer object | nil, facts.
 * request: method, url, headers (a list of lines), body (text or nil), multipart and into (see
 * lform.c), and the options above. */
int lclient_send(lua_State *L) {
  transfer_options options = {0};
  lua_client *c = luaL_checkudata(L, 1, CLIENT);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  compat_getuservalue(L, 1);
  lua_getfield(L, 3, LOOP_FIELD);
  read_options(L, &options);
  transfer *t = ltransfer_push(L, 4, 1); /* may have closed anything: only now is `open` sure */
  luaL_argcheck(L, c->open, 1, "the client is closed");
  transfer_join_group(t, &c->transfers);
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
