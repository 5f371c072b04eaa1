/* sse_sign.c: how a body that is an event stream begins; see sse_recognise in sse.h. */
#include "sse.h"

#include <string.h>

static const char bom[3] = {'\xEF', '\xBB', '\xBF'};

static const char *const beginnings[] = {":", "data:", "event:", "id:", "retry:", "error:"};

static sse_sign begins_with(const char *bytes, size_t n, const char *wanted) {
  size_t length = strlen(wanted);
  if (memcmp(bytes, wanted, n < length ? n : length) != 0) return SSE_NO_EVENTS;
  return n < length ? SSE_UNSURE : SSE_EVENTS;
}

sse_sign sse_recognise(const char *bytes, size_t n, size_t *passed) {
  const char *at = bytes + *passed, *end = bytes + n;
  sse_sign sign = SSE_NO_EVENTS;
  if (n < sizeof bom && memcmp(bytes, bom, n) == 0) return SSE_UNSURE;
  if (*passed == 0 && n >= sizeof bom && memcmp(at, bom, sizeof bom) == 0) at += sizeof bom;
  while (at < end && (*at == '\n' || *at == '\r')) at++;
  *passed = (size_t)(at - bytes);
  if (at == end) return SSE_UNSURE;
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings && sign != SSE_EVENTS; i++) {
    sse_sign other = begins_with(at, (size_t)(end - at), beginnings[i]);
    if (other != SSE_NO_EVENTS) sign = other;
  }
  return sign;
}
