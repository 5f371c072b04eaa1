/* header_lines.c: see header_lines.h. */
#define _POSIX_C_SOURCE 200809L
#include "header_lines.h"

#include <strings.h>

#include "mem.h"

struct header_lines {
  unsigned users;
  bool ended, want_no_coding;
  struct curl_slist *first;
};

header_lines *header_lines_new(void) {
  header_lines *h = mem_zeroed(sizeof *h);
  return h == NULL ? NULL : header_lines_share(h);
}

int header_lines_add(header_lines *h, const char *line) {
  struct curl_slist *first = curl_slist_append(h->first, line);
  if (first == NULL) return -1;
  h->first = first;
  if (strcasecmp(line, "accept-encoding: identity") == 0) h->want_no_coding = true;
  return 0;
}

int header_lines_end(header_lines *h, const char *line) {
  if (!h->ended && header_lines_add(h, line) != 0) return -1;
  h->ended = true;
  return 0;
}

bool header_lines_want_no_coding(const header_lines *h) {
  return h->want_no_coding;
}

struct curl_slist *header_lines_list(const header_lines *h) {
  return h->first;
}

header_lines *header_lines_share(header_lines *h) {
  h->users++;
  return h;
}

void header_lines_drop(header_lines *h) {
  if (h == NULL || --h->users > 0) return;
  curl_slist_free_all(h->first);
  mem_free(h);
}
