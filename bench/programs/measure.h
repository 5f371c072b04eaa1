/* measure.h: how a C program of bench/ measures itself; measure.lua says what is printed. Leans on
 * libc. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

/* Seconds on CLOCK_MONOTONIC, and CPU seconds of this process. */
double measure_now(void);
double measure_cpu(void);

/* Notes the moment at which the work begins. */
void measure_start(void);

/* Prints the line but for its end, which is the caller's: "WALL CPU UNITS". */
void measure_finish(long units);

/* A field of /proc/self/status in kB: "VmRSS", "VmHWM". */
long measure_kb(const char *field);

/* Sorts numbers; returns the one below which `part` (0 to 1) of them lie. */
double measure_percentile(double *numbers, long n, double part);

#endif
