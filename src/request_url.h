/* request_url.h: the URL of a request, taken apart once for all requests that go
 * there. It goes when its last user has gone.
 */
#ifndef LLMG_REQUEST_URL_H
#define LLMG_REQUEST_URL_H

#include <curl/curl.h>
#include <stdbool.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

typedef struct request_url request_url;

/* A URL with one user: the caller. NULL without memory, and of what libcurl cannot take apart. */
request_url *request_url_new(const char *text);

/* Whether it is this one. */
bool request_url_is(const request_url *u, const char *text);

/* What CURLOPT_CURLU takes. */
CURLU *request_url_parts(const request_url *u);

/* One user more; returns the same. */
request_url *request_url_share(request_url *u);

/* One user less; NULL is allowed. */
void request_url_drop(request_url *u);

LLMG_HIDDEN_END
#endif
