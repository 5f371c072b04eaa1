/* mem.c: see mem.h. */
#include "mem.h"

#include <stdlib.h>
#include <string.h>

void *(*mem_hook)(void *block, size_t size) = realloc;

void *mem_resize(void *block, size_t size) {
  return mem_hook(block, size);
}

void *mem_zeroed(size_t size) {
  void *block = mem_resize(NULL, size);
  if (block != NULL) memset(block, 0, size);
  return block;
}

void mem_free(void *block) {
  free(block);
}
