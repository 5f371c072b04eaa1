/* mem.h: the core's one way to the heap.
 *
 * Everything on the two lower floors allocates here, so that a test can make
 * any request fail and see that the core still closes cleanly. Leans on libc
 * only.
 */
#ifndef LLMG_MEM_H
#define LLMG_MEM_H

#include <stddef.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

/* What mem_resize calls: realloc, unless a test puts its own here before any other call. */
extern void *(*mem_hook)(void *block, size_t size);

/* Grows, shrinks or (block == NULL) makes a block. Returns NULL, the old block
 * untouched, when there is no memory. `size` must not be 0. The caller owns the
 * block and ends it with mem_free. */
void *mem_resize(void *block, size_t size);

/* A new block of `size` zero bytes, or NULL. */
void *mem_zeroed(size_t size);

/* Ends a block; NULL is allowed. */
void mem_free(void *block);

LLMG_HIDDEN_END
#endif
