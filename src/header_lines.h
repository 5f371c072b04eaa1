/* header_lines.h: the header lines of a request, in libcurl's form. What many
 * requests have in common they share: it goes when its last user has gone.
 *
 *   header_lines *lines = header_lines_new();
 *   header_lines_add(lines, "Content-Type: application/json");
 *   curl_easy_setopt(easy, CURLOPT_HTTPHEADER, header_lines_list(lines));
 *   ... the exchange ...
 *   header_lines_drop(lines);
 */
#ifndef LLMG_HEADER_LINES_H
#define LLMG_HEADER_LINES_H

#include <curl/curl.h>
#include <stdbool.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

typedef struct header_lines header_lines;

/* None yet, with one user: the caller. NULL without memory. */
header_lines *header_lines_new(void);

/* Adds a line ("Name: value", no line end; "Name:" sends none of that name), which is copied. Not
 * once an exchange has them. Returns 0, or -1 without memory. */
int header_lines_add(header_lines *h, const char *line);

/* Adds a line to the end of those that are complete but for it; does nothing when that was done. */
int header_lines_end(header_lines *h, const char *line);

/* Whether one is "Accept-Encoding: identity". */
bool header_lines_want_no_coding(const header_lines *h);

/* What CURLOPT_HTTPHEADER takes. */
struct curl_slist *header_lines_list(const header_lines *h);

/* One user more; returns the same. */
header_lines *header_lines_share(header_lines *h);

/* One user less; NULL is allowed. */
void header_lines_drop(header_lines *h);

LLMG_HIDDEN_END
#endif
