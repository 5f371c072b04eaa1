/* bare.c: what a Lua program without this library would stand on: the thinnest binding of libcurl's
 * easy handle, and the clocks that all programs of bench/ measure with.
 *
 *   bare.now() -> seconds on CLOCK_MONOTONIC      bare.cpu() -> CPU seconds of this process, all
 * threads bare.rss() -> kB, now                         bare.peak() -> kB, the most so far easy =
 * bare.easy{header lines} easy:post(url, body) -> status, text | nil, message easy:post(url, body,
 * on_bytes) -> status, "" | nil, message     on_bytes(text) is called for what comes
 *
 * Leans on libcurl and Lua (5.1 and later); shares nothing with src/.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EASY "bench.easy"

int luaopen_bare(lua_State *L);

typedef struct easy {
  CURL *curl;
  struct curl_slist *headers;
  char *bytes;
  size_t n, size;
  lua_State *L; /* while on_bytes is at index 4 of it, else NULL */
} easy;

static size_t keep(easy *e, const char *bytes, size_t n) {
  if (e->n + n > e->size) {
    size_t size = (e->n + n) * 2;
    char *grown = realloc(e->bytes, size);
    if (grown == NULL) return 0;
    e->bytes = grown;
    e->size = size;
  }
  memcpy(e->bytes + e->n, bytes, n);
  e->n += n;
  return n;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *self) {
  easy *e = self;
  if (e->L == NULL) return keep(e, bytes, size * n);
  lua_pushvalue(e->L, 4);
  lua_pushlstring(e->L, bytes, size * n);
  if (lua_pcall(e->L, 1, 0, 0) == 0) return size * n;
  lua_pop(e->L, 1);
  return 0;
}

static int l_post(lua_State *L) {
  easy *e = luaL_checkudata(L, 1, EASY);
  size_t n;
  const char *body = luaL_checklstring(L, 3, &n);
  long status = 0;
  lua_settop(L, 4);
  e->n = 0;
  e->L = lua_isfunction(L, 4) ? L : NULL;
  curl_easy_setopt(e->curl, CURLOPT_URL, luaL_checkstring(L, 2));
  curl_easy_setopt(e->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
  curl_easy_setopt(e->curl, CURLOPT_POSTFIELDS, body);
  CURLcode code = curl_easy_perform(e->curl);
  if (code != CURLE_OK) {
    lua_pushnil(L);
    lua_pushstring(L, curl_easy_strerror(code));
    return 2;
  }
  curl_easy_getinfo(e->curl, CURLINFO_RESPONSE_CODE, &status);
  lua_pushinteger(L, (lua_Integer)status);
  lua_pushlstring(L, e->bytes == NULL ? "" : e->bytes, e->n);
  return 2;
}

static int l_easy(lua_State *L) {
  easy *e = lua_newuserdata(L, sizeof *e);
  memset(e, 0, sizeof *e);
  luaL_getmetatable(L, EASY);
  lua_setmetatable(L, -2);
  for (int i = 1; lua_rawgeti(L, 1, i), lua_isstring(L, -1); i++) {
    e->headers = curl_slist_append(e->headers, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  e->curl = curl_easy_init();
  curl_easy_setopt(e->curl, CURLOPT_HTTPHEADER, e->headers);
  curl_easy_setopt(e->curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(e->curl, CURLOPT_WRITEDATA, e);
  curl_easy_setopt(e->curl, CURLOPT_NOSIGNAL, 1L);
  return 1;
}

static int l_gc(lua_State *L) {
  easy *e = luaL_checkudata(L, 1, EASY);
  curl_easy_cleanup(e->curl);
  curl_slist_free_all(e->headers);
  free(e->bytes);
  memset(e, 0, sizeof *e);
  return 0;
}

static int push_seconds(lua_State *L, clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec / 1e9);
  return 1;
}

static int l_now(lua_State *L) {
  return push_seconds(L, CLOCK_MONOTONIC);
}

static int l_cpu(lua_State *L) {
  return push_seconds(L, CLOCK_PROCESS_CPUTIME_ID);
}

static int push_status(lua_State *L, const char *form) {
  char line[256];
  long kb = 0;
  FILE *file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, form, &kb) == 1) break;
  if (file != NULL) fclose(file);
  lua_pushnumber(L, (lua_Number)kb);
  return 1;
}

static int l_rss(lua_State *L) {
  return push_status(L, "VmRSS: %ld");
}

static int l_peak(lua_State *L) {
  return push_status(L, "VmHWM: %ld");
}

static void set(lua_State *L, const char *name, lua_CFunction fn) {
  lua_pushcfunction(L, fn);
  lua_setfield(L, -2, name);
}

int luaopen_bare(lua_State *L) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  luaL_newmetatable(L, EASY);
  set(L, "__gc", l_gc);
  set(L, "post", l_post);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_newtable(L);
  set(L, "easy", l_easy);
  set(L, "now", l_now);
  set(L, "cpu", l_cpu);
  set(L, "rss", l_rss);
  set(L, "peak", l_peak);
  return 1;
}
