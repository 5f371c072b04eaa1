/* clock.h: one monotonic clock for the whole core. Leans on platform.h. */
#ifndef LLMG_CLOCK_H
#define LLMG_CLOCK_H

#include <stdint.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

#define CLOCK_NEVER INT64_MAX
#define ONE_SECOND  INT64_C(1000000000)

/* Nanoseconds since some fixed moment; never goes back. */
int64_t clock_now(void);

/* `seconds` in nanoseconds, cut to what the type holds; negative ones become 0. */
int64_t clock_from_seconds(double seconds);

/* The moment `delay` nanoseconds after `start`, at most CLOCK_NEVER. Neither is negative. */
int64_t clock_after(int64_t start, int64_t delay);

/* How long from `now` to `moment` in whole milliseconds, rounded up; 0 when it has passed,
 * -1 (poll's "no limit") for CLOCK_NEVER. */
int clock_poll_timeout(int64_t now, int64_t moment);

LLMG_HIDDEN_END
#endif
