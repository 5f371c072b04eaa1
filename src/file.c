/* file.c: see file.h. */
#define _POSIX_C_SOURCE 200809L /* ftruncate; MinGW has it too, and the rest of unistd.h */
#include "file.h"

#include <errno.h>
#include <unistd.h>

#include "platform.h"

static int look(file *f) {
  platform_file about;
  int number = platform_look(f->fd, &about);
  if (number != 0) return number;
  if (about.is_directory) return EISDIR;
  f->is_regular = about.is_regular;
  f->size = about.size;
  return 0;
}

static int take(file *f, int fd, bool is_new) {
  *f = (file){.is_open = fd >= 0, .is_new = is_new, .fd = fd, .process = (long)getpid()};
  if (fd < 0) return errno;
  int number = look(f);
  if (number != 0) (void)file_close(f);
  return number;
}

int file_open_to_read(file *f, const char *path) {
  int number = take(f, platform_open(path, PLATFORM_READ), false);
  if (number != 0 || f->is_regular) return number;
  (void)file_close(f);
  return EINVAL;
}

int file_open_to_write(file *f, const char *path) {
  int fd = platform_open(path, PLATFORM_WRITE);
  if (fd >= 0 || errno != ENOENT) return take(f, fd, false);
  return take(f, platform_open(path, PLATFORM_CREATE), true);
}

long file_read(const file *f, char *to, size_t n) {
  ssize_t count;
  do {
    count = read(f->fd, to, n);
  } while (count < 0 && errno == EINTR);
  return (long)count;
}

int file_rewind(const file *f) {
  return lseek(f->fd, 0, SEEK_SET) == 0 ? 0 : errno;
}

int file_empty(const file *f) {
  return !f->is_regular || ftruncate(f->fd, 0) == 0 ? 0 : errno;
}

int file_write(const file *f, const char *bytes, size_t n) {
  while (n > 0) {
    ssize_t count = write(f->fd, bytes, n);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes += count;
    n -= (size_t)count;
  }
  return 0;
}

int file_close(file *f) {
  if (!f->is_open) return 0;
  f->is_open = false;
  return close(f->fd) == 0 || errno == EINTR ? 0 : errno;
}

void file_discard(file *f, const char *path) {
  if (!f->is_open) return;
  bool is_ours = f->is_regular && f->process == (long)getpid();
  (void)file_close(f);
  if (is_ours) (void)unlink(path);
}
