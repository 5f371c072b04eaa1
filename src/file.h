/* file.h: a file whose bytes go out with a request, or come in with an answer.
 *
 *   file f = {0};
 *   int number = file_open_to_read(&f, "a.mp3");
 *   while (number == 0 && (n = file_read(&f, bytes, sizeof bytes)) > 0) send(bytes, n);
 *   file_close(&f);
 *
 * What goes wrong is told by the system's error number, 0 when nothing did.
 * No child process inherits a descriptor. Leans on the system only.
 */
#ifndef LLMG_FILE_H
#define LLMG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

/* A file of zero bytes is a closed one. */
typedef struct file {
  bool is_open;
  bool is_new;     /* file_open_to_write made it */
  bool is_regular; /* no device, no pipe: it has a size, and removing it loses only what it holds */
  int fd;
  long process;  /* that opened it */
  uint64_t size; /* when it was opened; of a regular one */
} file;

/* Opens a regular file; anything else has no size that could be told before it is sent (EINVAL). */
int file_open_to_read(file *f, const char *path);

/* Opens or makes a file, and changes nothing in it yet. */
int file_open_to_write(file *f, const char *path);

/* Reads up to `n` bytes. Returns how many, 0 at the end, -1 and sets errno. */
long file_read(const file *f, char *to, size_t n);

/* Back to the beginning. */
int file_rewind(const file *f);

/* Drops what the file held before. */
int file_empty(const file *f);

/* Writes all `n` bytes. */
int file_write(const file *f, const char *bytes, size_t n);

/* Closes it; a closed one is left alone. Some systems tell only now that the disk was full. */
int file_close(file *f);

/* Closes it and removes it, unless it is no regular file. After fork() the child only closes it. */
void file_discard(file *f, const char *path);

LLMG_HIDDEN_END
#endif
