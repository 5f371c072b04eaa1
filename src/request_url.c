/* request_url.c: see request_url.h. */
#include "request_url.h"

#include <string.h>

#include "mem.h"

struct request_url {
  unsigned users;
  CURLU *parts;
  char text[];
};

/* As libcurl does it for CURLOPT_URL with CURLOPT_PATH_AS_IS. */
static bool take_apart(request_url *u) {
  u->parts = curl_url();
  return u->parts != NULL && curl_url_set(u->parts, CURLUPART_URL, u->text,
                                          CURLU_PATH_AS_IS | CURLU_GUESS_SCHEME |
                                              CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
}

request_url *request_url_new(const char *text) {
  size_t n = strlen(text) + 1;
  request_url *u = mem_zeroed(sizeof *u + n);
  if (u == NULL) return NULL;
  memcpy(u->text, text, n);
  u->users = 1;
  if (take_apart(u)) return u;
  request_url_drop(u);
  return NULL;
}

bool request_url_is(const request_url *u, const char *text) {
  return strcmp(u->text, text) == 0;
}

CURLU *request_url_parts(const request_url *u) {
  return u->parts;
}

request_url *request_url_share(request_url *u) {
  u->users++;
  return u;
}

void request_url_drop(request_url *u) {
  if (u == NULL || --u->users > 0) return;
  curl_url_cleanup(u->parts);
  mem_free(u);
}
