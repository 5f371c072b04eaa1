/* form.c: see form.h. libcurl writes the boundaries and the heads of the parts; what is between
 * them it asks for here. */
#include "form.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "mem.h"

/* Where the bytes of a part come from: the file if it is open, else the text behind the struct,
 * where of a file its path is. */
typedef struct source {
  struct source *next;
  form *form;
  file file;
  uint64_t size, at; /* how much there is, how much of it was taken */
  char text[];
} source;

struct form {
  form_owner owner;
  curl_mime *mime;
  source *sources;
  uint64_t size, sent;
};

/* ---- what libcurl calls ---- */

static size_t read_text(const source *s, char *to, size_t n) {
  memcpy(to, s->text + s->at, n);
  return n;
}

static size_t read_file(const source *s, char *to, size_t n) {
  char why[320];
  long count = file_read(&s->file, to, n);
  if (count > 0) return (size_t)count;
  if (count == 0)
    snprintf(why, sizeof why, "%.200s: the file became shorter while it was sent", s->text);
  else
    snprintf(why, sizeof why, "%.200s: %s", s->text, strerror(errno));
  s->form->owner.on_failure(s->form->owner.self, why);
  return CURL_READFUNC_ABORT;
}

/* curl_mime_data_cb(3): no more is taken than the server was told of. */
static size_t on_read(char *to, size_t size, size_t count, void *arg) {
  source *s = arg;
  size_t n = size * count;
  if (n > s->size - s->at) n = (size_t)(s->size - s->at);
  if (n == 0) return 0;
  n = s->file.is_open ? read_file(s, to, n) : read_text(s, to, n);
  if (n == CURL_READFUNC_ABORT) return n;
  s->at += n;
  s->form->sent += n;
  s->form->owner.on_sent(s->form->owner.self);
  return n;
}

static int on_seek(void *arg, curl_off_t offset, int origin) {
  source *s = arg;
  form *f = s->form;
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
  if (s->at != 0 && f->owner.on_rewind(f->owner.self) != 0) return CURL_SEEKFUNC_FAIL;
  if (s->file.is_open && file_rewind(&s->file) != 0) return CURL_SEEKFUNC_FAIL;
  f->sent -= s->at;
  s->at = 0;
  return CURL_SEEKFUNC_OK;
}

/* ---- fields ---- */

static source *add_source(form *f, size_t room) {
  source *s = mem_zeroed(sizeof *s + room + 1);
  if (s == NULL) return NULL;
  s->form = f;
  s->next = f->sources;
  f->sources = s;
  return s;
}

/* A source that is in the form is freed with it, whether it has a part or not. */
static int add_part(form *f, source *s, const form_part *about) {
  curl_mimepart *part = curl_mime_addpart(f->mime);
  if (part == NULL) return -1;
  CURLcode code = curl_mime_name(part, about->name);
  if (code == CURLE_OK && about->filename != NULL) code = curl_mime_filename(part, about->filename);
  if (code == CURLE_OK && about->type != NULL) code = curl_mime_type(part, about->type);
  if (code == CURLE_OK)
    code = curl_mime_data_cb(part, (curl_off_t)s->size, on_read, on_seek, NULL, s);
  if (code == CURLE_OK) f->size += s->size;
  return code == CURLE_OK ? 0 : -1;
}

int form_add_text(form *f, const form_part *about, const char *bytes, size_t n) {
  source *s = add_source(f, n);
  if (s == NULL) return -1;
  memcpy(s->text, bytes, n);
  s->size = n;
  return add_part(f, s, about);
}

int form_add_file(form *f, const form_part *about, const char *path) {
  source *s = add_source(f, strlen(path));
  if (s == NULL) return -1;
  strcpy(s->text, path);
  int number = file_open_to_read(&s->file, path);
  if (number != 0) return number;
  s->size = s->file.size;
  return add_part(f, s, about);
}

/* ---- life ---- */

form *form_new(CURL *easy, const form_owner *owner) {
  form *f = mem_zeroed(sizeof *f);
  if (f == NULL) return NULL;
  f->owner = *owner;
  f->mime = curl_mime_init(easy);
  if (f->mime != NULL) return f;
  mem_free(f);
  return NULL;
}

curl_mime *form_mime(const form *f) {
  return f->mime;
}

uint64_t form_size(const form *f) {
  return f->size;
}

uint64_t form_sent(const form *f) {
  return f->sent;
}

void form_free(form *f) {
  if (f == NULL) return;
  curl_mime_free(f->mime);
  while (f->sources != NULL) {
    source *s = f->sources;
    f->sources = s->next;
    (void)file_close(&s->file);
    mem_free(s);
  }
  mem_free(f);
}
