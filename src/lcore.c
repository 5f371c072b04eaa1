/* lcore.c: opens llm_gateway.core, the C half of the module llm_gateway. */
#include "lcore.h"

#include <stdint.h>
#include <string.h>

#include "clock.h"
#include "lhead.h"
#include "lheaders.h"
#include "mem.h"
#include "platform.h"

/* The oldest libcurl that may be loaded. One that was built against since 7.87 has options which an
 * older one would refuse: see transfer_options.c. */
#if LIBCURL_VERSION_NUM >= 0x075700
#define OLDEST_CURL      0x075700
#define OLDEST_CURL_NAME "7.87"
#elif LIBCURL_VERSION_NUM >= 0x075100
#define OLDEST_CURL      0x075100
#define OLDEST_CURL_NAME "7.81"
#else
#error "llm-gateway needs libcurl 7.81 or later"
#endif

/* ---- what is being pushed ---- */

lcore_place *lcore_take_place(lua_State *L, lcore_place *first) {
  lcore_place *place = first;
  while (place->taken && place->next != NULL) place = place->next;
  if (place->taken) {
    place->next = mem_zeroed(sizeof *place);
    if (place->next == NULL) lcore_no_memory(L);
    place = place->next;
  }
  place->taken = true;
  return place;
}

void lcore_leave_place(lcore_place *place) {
  buffer_clear(&place->bytes);
  place->taken = false;
}

lcore_place *lcore_keep(lua_State *L, lcore_place *first, const char *bytes, size_t n) {
  lcore_place *place = lcore_take_place(L, first);
  if (buffer_append(&place->bytes, bytes, n) == 0) return place;
  lcore_leave_place(place);
  lcore_no_memory(L);
  return NULL;
}

lcore_place *lcore_keep_event(lua_State *L, lcore_place *first, sse_event *event) {
  size_t n = event->data_length + event->type_length + event->id_length;
  lcore_place *place = lcore_keep(L, first, event->data, n);
  event->data = buffer_bytes(&place->bytes);
  event->type = event->data + event->data_length;
  event->id = event->type + event->type_length;
  return place;
}

buffer *lcore_open_copy(lua_State *L, lcore_place *first, lcore_copy *c, size_t n) {
  c->text = (buffer){.bytes = c->room, .capacity = sizeof c->room};
  c->place = n <= sizeof c->room ? NULL : lcore_take_place(L, first);
  return c->place == NULL ? &c->text : &c->place->bytes;
}

void lcore_leave_copy(lcore_copy *c) {
  if (c->place != NULL) lcore_leave_place(c->place);
}

void lcore_push_copy(lua_State *L, lcore_copy *c) {
  const buffer *text = c->place == NULL ? &c->text : &c->place->bytes;
  lua_pushlstring(L, buffer_bytes(text), buffer_length(text));
  lcore_leave_copy(c);
}

void lcore_free_places(lcore_place *first) {
  for (lcore_place *place = first->next, *next; place != NULL; place = next) {
    next = place->next;
    buffer_free(&place->bytes);
    mem_free(place);
  }
  buffer_free(&first->bytes);
  memset(first, 0, sizeof *first);
}

/* ---- functions ---- */

/* now() -> seconds on a clock that never goes back */
static int l_now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)clock_now() / (lua_Number)ONE_SECOND);
  return 1;
}

/* date(text) -> seconds since 1970 (UTC) of a date as HTTP has it (RFC 9110, 5.6.7) | nil */
static int l_date(lua_State *L) {
  time_t moment = curl_getdate(luaL_checkstring(L, 1), NULL);
  if (moment == (time_t)-1)
    lua_pushnil(L);
  else
    lua_pushnumber(L, (lua_Number)moment);
  return 1;
}

/* call(fn, ...) -> what fn returns; fn cannot yield. A callback of a step that yielded would leave
 * the step half done for as long as nobody resumes it. */
static int l_call(lua_State *L) {
  luaL_checkany(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* ---- opening ---- */

static void start_curl(lua_State *L) {
  const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
  if (version->version_num < OLDEST_CURL)
    luaL_error(L, "llm-gateway needs libcurl " OLDEST_CURL_NAME " or later; this is %s",
               version->version);
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) luaL_error(L, "libcurl does not start");
  /* A name lookup that hangs is left to its thread (CURLOPT_QUICK_EXIT), which may outlive this Lua
   * state and with it the mapping of libcurl: so that stays mapped. */
  platform_pin((void (*)(void))curl_easy_init);
}

static const luaL_Reg functions[] = {{"now", l_now},
                                     {"date", l_date},
                                     {"floats", lfloats_decode},
                                     {"call", l_call},
                                     {"loop", lloop_new},
                                     {"client", lclient_new},
                                     {"config", lclient_config},
                                     {"send", lclient_send},
                                     {"header_lines", lheaders_new},
                                     {"header_fields", lhead_fields},
                                     {"timings", lhead_timings},
                                     {"sse", lsse_new},
                                     {"watch_interrupts", lterminal_watch_interrupts},
                                     {"take_interrupt", lterminal_take_interrupt},
                                     {"is_terminal", lterminal_is_terminal},
                                     {"is_private", lterminal_is_private},
                                     {"json_decode", ljson_decode},
                                     {"json_encoder", lencode_new},
                                     {"json_partial", lpartial_new},
                                     {NULL, NULL}};

LLMG_EXPORT int luaopen_llm_gateway_core(lua_State *L) {
  start_curl(L);
  lua_newtable(L);
  compat_setfuncs(L, functions, 0);
  lloop_open(L);
  lua_pop(L, 1);
  ltransfer_open(L);
  lua_setfield(L, -2, "transfer_methods");
  lclient_open(L);
  lua_setfield(L, -2, "client_methods");
  lheaders_open(L);
  lsse_open(L);
  lua_setfield(L, -2, "sse_methods");
  ljson_open(L);
  lencode_open(L);
  lpartial_open(L);
  lua_pushstring(L, curl_version_info(CURLVERSION_NOW)->version);
  lua_setfield(L, -2, "curl_version");
  return 1;
}
