/* sink.c: see sink.h. */
#include "sink.h"

#include <string.h>

#include "mem.h"

int sink_open(sink *s, const char *path) {
  size_t n = strlen(path) + 1;
  s->path = mem_zeroed(n);
  if (s->path == NULL) return -1;
  memcpy(s->path, path, n);
  return file_open_to_write(&s->file, path);
}

bool sink_is_begun(const sink *s) {
  return s->file.is_open && s->is_begun;
}

int sink_begin(sink *s) {
  if (!s->file.is_open) return 0;
  s->is_begun = true;
  return file_empty(&s->file);
}

int sink_write(sink *s, const char *bytes, size_t n) {
  return file_write(&s->file, bytes, n);
}

/* An answer that never began leaves the file as it was. */
int sink_end(sink *s) {
  return s->is_begun ? file_close(&s->file) : 0;
}

void sink_free(sink *s) {
  if (s->is_begun || s->file.is_new)
    file_discard(&s->file, s->path);
  else
    (void)file_close(&s->file);
  mem_free(s->path);
  s->path = NULL;
}
