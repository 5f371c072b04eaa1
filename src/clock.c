/* clock.c: see clock.h. */
#define _POSIX_C_SOURCE 200809L
#include "clock.h"

#include <limits.h>
#include <time.h>

#define MILLISECOND INT64_C(1000000)

int64_t clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * ONE_SECOND + now.tv_nsec;
}

int64_t clock_from_seconds(double seconds) {
  double ns = seconds * (double)ONE_SECOND;
  if (!(ns > 0)) return 0;
  return ns >= (double)CLOCK_NEVER ? CLOCK_NEVER : (int64_t)ns;
}

int64_t clock_after(int64_t start, int64_t delay) {
  return delay > CLOCK_NEVER - start ? CLOCK_NEVER : start + delay;
}

int clock_poll_timeout(int64_t now, int64_t moment) {
  if (moment == CLOCK_NEVER) return -1;
  if (moment <= now) return 0;
  int64_t ms = (moment - now + MILLISECOND - 1) / MILLISECOND;
  return ms > INT_MAX ? INT_MAX : (int)ms;
}
