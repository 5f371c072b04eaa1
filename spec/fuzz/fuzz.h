/* fuzz.h: what the fuzz targets share. Leans on libFuzzer, which calls
 * LLVMFuzzerTestOneInput and takes an abort for a finding.
 */
#ifndef LLMG_FUZZ_H
#define LLMG_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* An invariant: when it does not hold, that is a finding. */
static inline void demand(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "INVARIANT BROKEN: %s\n", what);
  abort();
}

/* Counters that libFuzzer reads as coverage beside the compiler's: for what happens in code that
 * was not compiled for it (libcurl, Lua). The target defines them with EXTRA_COUNTERS. */
#define COUNTERS 65536
extern uint8_t counters[COUNTERS];
#define EXTRA_COUNTERS                                                                             \
  __attribute__((used, section("__libfuzzer_extra_counters"))) uint8_t counters[COUNTERS]

static inline void count(uint32_t what) {
  uint8_t *counter = &counters[(what * 2654435761U) >> 16];
  if (*counter < UINT8_MAX) ++*counter;
}

#endif
