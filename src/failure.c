/* failure.c: see failure.h. */
#include "failure.h"

#include <string.h>

#include "mem.h"

typedef struct code_class {
  CURLcode code;
  failure_class class;
} code_class;

static const code_class code_classes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, FAILURE_RESOLVE},
    {CURLE_COULDNT_RESOLVE_PROXY, FAILURE_PROXY},
    {CURLE_PROXY, FAILURE_PROXY},
    {CURLE_COULDNT_CONNECT, FAILURE_CONNECT},
    {CURLE_OPERATION_TIMEDOUT, FAILURE_CONNECT_TIMEOUT},
    {CURLE_SSL_CONNECT_ERROR, FAILURE_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, FAILURE_TRUST},
    {CURLE_SSL_CERTPROBLEM, FAILURE_TRUST},
    {CURLE_SSL_CIPHER, FAILURE_TRUST},
    {CURLE_SSL_CACERT_BADFILE, FAILURE_TRUST},
    {CURLE_SSL_ISSUER_ERROR, FAILURE_TRUST},
    {CURLE_SSL_ENGINE_INITFAILED, FAILURE_TLS},
    {CURLE_USE_SSL_FAILED, FAILURE_TLS},
    {CURLE_UNSUPPORTED_PROTOCOL, FAILURE_NOT_HTTP},
    {CURLE_WEIRD_SERVER_REPLY, FAILURE_NOT_HTTP},
    {CURLE_BAD_CONTENT_ENCODING, FAILURE_NOT_HTTP},
    {CURLE_OUT_OF_MEMORY, FAILURE_INTERNAL},
#if LIBCURL_VERSION_NUM >= 0x080600
    {CURLE_TOO_LARGE, FAILURE_INTERNAL},
#endif
    {CURLE_URL_MALFORMAT, FAILURE_INTERNAL},
    {CURLE_BAD_FUNCTION_ARGUMENT, FAILURE_INTERNAL},
    {CURLE_UNKNOWN_OPTION, FAILURE_INTERNAL},
    {CURLE_NOT_BUILT_IN, FAILURE_INTERNAL},
};

static const failure_name names[] = {
    [FAILURE_NONE] = {"none", NULL, NULL},
    [FAILURE_RESOLVE] = {"resolve", NULL, NULL},
    [FAILURE_CONNECT] = {"connect", NULL, NULL},
    [FAILURE_TLS] = {"tls", NULL, NULL},
    [FAILURE_TRUST] = {"trust", NULL, NULL},
    [FAILURE_PROXY] = {"proxy", NULL, NULL},
    [FAILURE_NOT_HTTP] = {"not_http", NULL, NULL},
    [FAILURE_LOST] = {"lost", NULL, NULL},
    [FAILURE_CONNECT_TIMEOUT] = {"timeout", "connect", NULL},
    [FAILURE_SILENCE_TIMEOUT] = {"timeout", "silence", NULL},
    [FAILURE_EVENT_TIMEOUT] = {"timeout", "event", NULL},
    [FAILURE_TOTAL_TIMEOUT] = {"timeout", "total", NULL},
    [FAILURE_HEAD_TOO_LARGE] = {"too_large", NULL, "headers"},
    [FAILURE_BODY_TOO_LARGE] = {"too_large", NULL, "max_response_bytes"},
    [FAILURE_EVENT_TOO_LARGE] = {"too_large", NULL, "max_event_bytes"},
    [FAILURE_READ_FILE] = {"read_file", NULL, NULL},
    [FAILURE_WRITE_FILE] = {"write_file", NULL, NULL},
    [FAILURE_CLOSED] = {"closed", NULL, NULL},
    [FAILURE_INTERNAL] = {"internal", NULL, NULL},
};

const failure_name *failure_name_of(failure_class class) {
  return &names[class];
}

failure_class failure_class_of(CURLcode code) {
  for (size_t i = 0; i < sizeof code_classes / sizeof *code_classes; i++)
    if (code_classes[i].code == code) return code_classes[i].class;
  return FAILURE_LOST;
}

void failure_note(failure *f, failure_class class, const char *text) {
  if (f->class != FAILURE_NONE) return;
  size_t n = strlen(text);
  if (n >= FAILURE_TEXT) n = FAILURE_TEXT - 1;
  f->class = class;
  f->text = mem_zeroed(n + 1);
  if (f->text != NULL) memcpy(f->text, text, n);
}

const char *failure_text(const failure *f) {
  if (f->text != NULL) return f->text;
  return f->class == FAILURE_NONE ? "" : "not enough memory";
}

void failure_free(failure *f) {
  mem_free(f->text);
  f->text = NULL;
}
