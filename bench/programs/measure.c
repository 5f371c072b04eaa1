/* measure.c: see measure.h. */
#define _GNU_SOURCE
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double wall_start, cpu_start;

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double measure_now(void) {
  return seconds(CLOCK_MONOTONIC);
}

double measure_cpu(void) {
  return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

void measure_start(void) {
  wall_start = measure_now();
  cpu_start = measure_cpu();
}

void measure_finish(long units) {
  double cpu = measure_cpu() - cpu_start;
  printf("%.9f %.9f %ld", measure_now() - wall_start, cpu, units);
}

long measure_kb(const char *field) {
  char line[256];
  long kb = 0;
  size_t n = strlen(field);
  FILE *file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, field, n) == 0 && line[n] == ':') kb = atol(line + n + 1);
  if (file != NULL) fclose(file);
  return kb;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double measure_percentile(double *numbers, long n, double part) {
  if (n == 0) return 0;
  qsort(numbers, (size_t)n, sizeof *numbers, compare);
  return numbers[(long)((double)(n - 1) * part)];
}
