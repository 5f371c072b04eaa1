/* json_write.h: texts and numbers as JSON (RFC 8259) writes them.
 *
 * Leans on buffer.h only; knows neither Lua nor how values nest. Each function
 * appends to `out` and returns JSON_OK or what is wrong; after a failure `out`
 * may hold a part.
 */
#ifndef LLMG_JSON_WRITE_H
#define LLMG_JSON_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "json.h"
LLMG_HIDDEN_BEGIN

/* A text in quotes. Returns JSON_BAD where it is no UTF-8 (RFC 3629), *bad then being the byte
 * where that begins, counted from 0. DEL is escaped, "/" is not. */
int json_write_text(buffer *out, const char *text, size_t n, size_t *bad);

/* The shortest digits that read back equal. `value` is finite. */
int json_write_double(buffer *out, double value);

int json_write_integer(buffer *out, int64_t value);

/* n bytes as they are. */
int json_write_raw(buffer *out, const char *bytes, size_t n);

LLMG_HIDDEN_END
#endif
