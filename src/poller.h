/* poller.h: waits for curl's sockets and timers, and lets curl act on them.
 *
 * Two kinds implement it: poller_descriptor.c puts all of it behind one
 * descriptor that a host can watch (epoll on Linux, kqueue on macOS and BSD);
 * poller_multi.c works wherever libcurl does, without a descriptor. Build with
 * -DLLMG_NO_DESCRIPTOR to have the second everywhere.
 */
#ifndef LLMG_POLLER_H
#define LLMG_POLLER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

typedef struct poller poller;

/* A poller for `multi`, or NULL when there is no memory or no descriptor left.
 * Free it after `multi`, which reports to it until its end. */
poller *poller_new(CURLM *multi);

/* Closes the descriptors, frees the poller; NULL is allowed. */
void poller_free(poller *p);

/* A descriptor that is readable when poller_drive has something to do, or -1 where there is none.
 * Only from the first call on are the system's timers set for it: that costs time. */
int poller_watch(poller *p);

/* Makes the descriptor readable at `moment` (clock.h; CLOCK_NEVER: unset), and poller_drive return
 * then at the latest. Replaces the last alarm. */
void poller_alarm(poller *p, int64_t moment);

/* Makes the descriptor rest for good: there is nothing left to drive. */
void poller_rest(poller *p);

/* Waits for work until `until` at the latest and lets curl do what is due. Stops early when that
 * takes longer than `budget` nanoseconds (CLOCK_NEVER: no limit), leaving the rest for the next
 * call. Returns whether everything that was due is done. */
bool poller_drive(poller *p, int64_t until, int64_t budget);

/* How long the last poller_drive waited, and how much longer that was than it was meant to be. */
typedef struct poller_wait {
  int64_t took, late;
} poller_wait;

poller_wait poller_last_wait(const poller *p);

/* Has libcurl look whether it holds more than it has handed over, however quiet that socket is. */
void poller_reread(poller *p, curl_socket_t fd);

/* Has libcurl look at everything, and begin what it is ready for. */
void poller_poke_all(poller *p);

LLMG_HIDDEN_END
#endif
