/* platform_unix.c: what platform.h asks of the system and POSIX does not know: Linux, macOS and the
 * BSDs.
 */
#ifndef _WIN32
#ifdef __linux__
#define _GNU_SOURCE /* MADV_WIPEONFORK, dladdr */
#endif
#include "platform.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

/* A library is found by the path of its file, and opened once more. */
static void *library_of(void (*function)(void), int flags) {
  Dl_info info;
  void *address;
  memcpy(&address, &function, sizeof address);
  if (dladdr(address, &info) == 0 || info.dli_fname == NULL) return NULL;
  return dlopen(info.dli_fname, RTLD_NOW | flags);
}

void platform_pin(void (*function)(void)) {
  (void)library_of(function, RTLD_NODELETE);
}

platform_function *platform_symbol(void (*function)(void), const char *name) {
  platform_function *found = NULL;
  void *library = library_of(function, 0);
  if (library == NULL) return NULL;
  void *address = dlsym(library, name);
  memcpy(&found, &address, sizeof found);
  (void)dlclose(library); /* it was open before */
  return found;
}

/* ---- the process ---- */

/* On Linux the kernel clears a page in every child; where it does not know how to, the process id
 * tells. */
#ifdef MADV_WIPEONFORK

/* One page for as long as the library is loaded: it holds the mark, or 0 in a new child. */
static _Atomic(atomic_long *) page;

static atomic_long *make_page(void) {
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  void *new = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  atomic_long *none = NULL;
  if (new == MAP_FAILED) return NULL;
  if (madvise(new, size, MADV_WIPEONFORK) == 0 && atomic_compare_exchange_strong(&page, &none, new))
    return new;
  munmap(new, size);
  return none; /* another thread was faster, or there is none to be had */
}

/* No living ancestor has the process id of a child. */
long platform_process_mark(void) {
  atomic_long *mark = atomic_load_explicit(&page, memory_order_acquire);
  if (mark == NULL) mark = make_page();
  if (mark == NULL) return (long)getpid();
  long known = atomic_load_explicit(mark, memory_order_relaxed);
  if (known != 0) return known;
  atomic_store_explicit(mark, (long)getpid(), memory_order_relaxed);
  return (long)getpid();
}

#else

long platform_process_mark(void) {
  return (long)getpid();
}

#endif

#else
typedef int platform_unix_is_not_built;
#endif
