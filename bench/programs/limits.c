/* limits.c: what libcurl alone takes for each work of the benchmark: as little as a C program can
 * do for it.
 *
 *   limits WORK URL TIMES WARM [SIZE]     prints a line (see measure.lua)
 *
 *   chat        one easy handle for all; the body is kept, and not read
 *   chat-new    a new easy handle for each, connections shared
 *   stream      events are counted by their blank lines, and not read
 *   base64      the vectors of an embedding become floats
 *   floats      the same from decimals, by strtof
 *   messages    sends a body of SIZE messages, written before
 *   tls         as chat, with BENCH_CA's certificate trusted
 *   start       libcurl is opened, no more
 *
 * Leans on measure.h and libcurl; shares nothing with src/.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

static const char *url;
static char *body; /* what is sent */
static long size, events;
static CURL *easy;
static CURLSH *share;
static struct curl_slist *headers;

static char *text; /* what came */
static size_t text_n, text_size;

/* ---- libcurl ---- */

static size_t keep(char *bytes, size_t one, size_t n, void *self) {
  (void)self;
  n *= one;
  if (text_n + n >= text_size) {
    text_size = (text_n + n) * 2 + 1;
    text = realloc(text, text_size);
    if (text == NULL) exit(1);
  }
  memcpy(text + text_n, bytes, n);
  text_n += n;
  return n;
}

/* Two line feeds that come in two pieces are missed by both: an event in ten thousand. */
static size_t count(char *bytes, size_t one, size_t n, void *self) {
  const char *at = bytes, *end = bytes + one * n;
  (void)self;
  while ((at = memmem(at, (size_t)(end - at), "\n\n", 2)) != NULL) events++, at += 2;
  return one * n;
}

static CURL *new_easy(curl_write_callback on_body) {
  CURL *made = curl_easy_init();
  const char *ca = getenv("BENCH_CA");
  curl_easy_setopt(made, CURLOPT_URL, url);
  curl_easy_setopt(made, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(made, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(made, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(made, CURLOPT_NOSIGNAL, 1L);
  if (share != NULL) curl_easy_setopt(made, CURLOPT_SHARE, share);
  if (ca != NULL) curl_easy_setopt(made, CURLOPT_CAINFO, ca);
  if (ca != NULL) curl_easy_setopt(made, CURLOPT_CAPATH, NULL);
  return made;
}

static void perform(CURL *handle) {
  text_n = 0;
  CURLcode code = curl_easy_perform(handle);
  if (code == CURLE_OK) return;
  fprintf(stderr, "limits: %s\n", curl_easy_strerror(code));
  exit(1);
}

/* ---- works: each returns its units ---- */

static long chat(void) {
  if (easy == NULL) easy = new_easy(keep);
  perform(easy);
  return 1;
}

static long chat_new(void) {
  if (share == NULL) {
    share = curl_share_init();
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
  }
  CURL *once = new_easy(keep);
  perform(once);
  curl_easy_cleanup(once);
  return 1;
}

static long stream(void) {
  if (easy == NULL) easy = new_easy(count);
  long before = events;
  perform(easy);
  return events - before;
}

/* The text after `name` in what came; NULL when there is no further one. */
static char *next_vector(char *at, const char *name) {
  at = memmem(at, text_n - (size_t)(at - text), name, strlen(name));
  return at == NULL ? NULL : at + strlen(name);
}

static float vector[4096];

static long base64(void) {
  static unsigned char values[256];
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (unsigned i = 0; i < 64; i++) values[(unsigned char)digits[i]] = (unsigned char)i;
  chat();
  for (char *at = text; (at = next_vector(at, "\"embedding\":\"")) != NULL;) {
    unsigned char *out = (unsigned char *)vector;
    for (; at[0] != '"'; at += 4) {
      uint32_t bits = (uint32_t)values[(unsigned char)at[0]] << 18 |
                      (uint32_t)values[(unsigned char)at[1]] << 12 |
                      (uint32_t)values[(unsigned char)at[2]] << 6 | values[(unsigned char)at[3]];
      *out++ = (unsigned char)(bits >> 16);
      *out++ = (unsigned char)(bits >> 8 & 255);
      *out++ = (unsigned char)(bits & 255);
    }
  }
  return 1;
}

static long floats(void) {
  chat();
  text[text_n] = '\0';
  for (char *at = text; (at = next_vector(at, "\"embedding\":[")) != NULL;) {
    float *out = vector;
    while (*at != ']') {
      *out++ = strtof(at, &at);
      if (*at == ',') at++;
    }
  }
  return 1;
}

static long messages(void) {
  chat();
  return size;
}

static const struct {
  const char *name;
  long (*work)(void);
} works[] = {{"chat", chat},     {"chat-new", chat_new}, {"stream", stream},     {"base64", base64},
             {"floats", floats}, {"tls", chat},          {"messages", messages}, {NULL, NULL}};

static void write_body(void) {
  size_t n;
  FILE *out = open_memstream(&body, &n);
  fputs("{\"model\":\"gpt-4\",\"messages\":[", out);
  for (long i = 1; i <= (size > 0 ? size : 1); i++)
    fprintf(out, "%s{\"role\":\"%s\",\"content\":\"Message %ld of them\"}", i > 1 ? "," : "",
            i % 2 == 1 ? "user" : "assistant", i);
  fputs("]}", out);
  fclose(out);
}

int main(int argc, char **argv) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  if (argc < 5) return curl_easy_init() == NULL; /* start */
  url = argv[2];
  size = argc > 5 ? atol(argv[5]) : 0;
  write_body();
  headers = curl_slist_append(headers, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Authorization: Bearer gw_bench");
  headers = curl_slist_append(headers, "Expect:");
  for (int i = 0; works[i].name != NULL; i++) {
    long units = 0;
    if (strcmp(works[i].name, argv[1]) != 0) continue;
    for (long n = atol(argv[4]); n > 0; n--) works[i].work();
    measure_start();
    for (long n = atol(argv[3]); n > 0; n--) units += works[i].work();
    measure_finish(units);
    puts("");
    return 0;
  }
  return 2;
}
