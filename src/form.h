/* form.h: a multipart/form-data body (RFC 7578), made of texts and files, that is sent as it is
 * read.
 *
 *   form *f = form_new(easy, &owner);
 *   if (form_add_text(f, &part, text, n) != 0) no_memory();
 *   int number = form_add_file(f, &part, "a.mp3");
 *   curl_easy_setopt(easy, CURLOPT_MIMEPOST, form_mime(f));
 *   ... the exchange ...
 *   form_free(f);
 *
 * A file is opened when it is added, and counts with the size that it has then:
 * one that grows while it is sent goes out as it began, one that shrinks ends
 * the exchange. Only a piece of a file is ever in memory. Nothing here calls Lua.
 */
#ifndef LLMG_FORM_H
#define LLMG_FORM_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

typedef struct form form;

/* What a form tells whoever sends it, in libcurl's callbacks. */
typedef struct form_owner {
  void *self;
  void (*on_sent)(void *self);                     /* some of it was taken */
  void (*on_failure)(void *self, const char *why); /* a file could not be read to its end */
  int (*on_rewind)(void *self);                    /* whether it may go out once more: 0 if so */
} form_owner;

/* Texts are copied; NULL for none. */
typedef struct form_part {
  const char *name;     /* of the field; needed */
  const char *filename; /* what the server is told */
  const char *type;     /* its Content-Type */
} form_part;

/* An empty form for an easy handle; NULL without memory. The owner is copied. */
form *form_new(CURL *easy, const form_owner *owner);

/* Adds a field. Each returns 0, -1 without memory, or (of a file) the system's error number. */
int form_add_text(form *f, const form_part *about, const char *bytes, size_t n);
int form_add_file(form *f, const form_part *about, const char *path);

/* What CURLOPT_MIMEPOST takes; the form's. */
curl_mime *form_mime(const form *f);

/* How many bytes of texts and files there are, and how many were taken. */
uint64_t form_size(const form *f);
uint64_t form_sent(const form *f);

/* Frees it and closes its files; NULL is allowed. Its easy handle must not run any more. */
void form_free(form *f);

LLMG_HIDDEN_END
#endif
