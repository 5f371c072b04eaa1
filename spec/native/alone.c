/* alone.c: loaded behind a sanitizer by LD_PRELOAD, keeps the sanitizer to the process it was meant
 * for: the programs that specs start (curl, openssl, a shell) are not built for it, and now and
 * then hang under it. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>

__attribute__((constructor)) static void forget(void) {
  unsetenv("LD_PRELOAD");
}
