/* clock.c: see clock.h. */
#include "clock.h"

#include <limits.h>

#include "platform.h"

#define MILLISECOND INT64_C(1000000)

int64_t clock_now(void) {
  return platform_now();
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
