/* alike.h: a check of json.c's that is in alike.c. */
#ifndef LLMG_FUZZ_ALIKE_H
#define LLMG_FUZZ_ALIKE_H

#include <stddef.h>
#include <stdint.h>

/* Learns a text of `n` bytes and a 0, edits it, and demands that it is known again exactly when it
 * should be. What is edited how is drawn from `number`. */
void alike_check(const char *text, size_t n, uint32_t number);

#endif
