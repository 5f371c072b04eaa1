/* loop_idle.h: closes kept connections that are too old, also while nothing is asked of the loop.
 *
 * libcurl looks for such connections only when an exchange begins. So one is
 * begun for it that never connects. Leans on libcurl alone.
 */
#ifndef LLMG_LOOP_IDLE_H
#define LLMG_LOOP_IDLE_H

#include <curl/curl.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

#define MAX_IDLE_SECONDS 4L /* a connection kept for longer may be closing at the server's end */

/* An exchange of `multi` that closes kept connections which are idle for longer than
 * MAX_IDLE_SECONDS and ends by itself; its CURLINFO_PRIVATE is NULL. Whoever hears that it is done
 * removes it and cleans it up. NULL without memory. */
CURL *loop_idle_sweep(CURLM *multi);

LLMG_HIDDEN_END
#endif
