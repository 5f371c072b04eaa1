/* answers.c: see answers.h. */
#define _GNU_SOURCE /* open_memstream */
#include "answers.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ANSWERS 256
#define BLOCK_BYTES 16384 /* of events in one HTTP chunk, as a proxy under load would have it */

#define CHUNK_START                                                                                \
  "data: {\"id\":\"chatcmpl-9sT3vQbX1kYzR7wLmN4pC8dE\",\"object\":\"chat.completion.chunk\","      \
  "\"created\":1700000000,\"model\":\"gpt-4-0613\",\"system_fingerprint\":\"fp_44709d6fcb\","      \
  "\"choices\":[{\"index\":0,\"delta\":"
#define CHUNK_END ",\"logprobs\":null,\"finish_reason\":null}]}\n\n"

static const char first_event[] = CHUNK_START "{\"role\":\"assistant\",\"content\":\"\"}" CHUNK_END;
static const char last_events[] =
    CHUNK_START "{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/* ---- texts ---- */

static FILE *open_piece(piece *p) {
  FILE *out = open_memstream(&p->bytes, &p->n);
  if (out == NULL) exit(1);
  return out;
}

static void write_words(FILE *out, long bytes) {
  for (long i = 0; i < bytes; i++) fputc(" word"[i % 5], out);
}

static void write_event(FILE *out, long bytes) {
  fputs(CHUNK_START "{\"content\":\"", out);
  write_words(out, bytes);
  fputs("\"}" CHUNK_END, out);
}

static void write_http_chunk(FILE *out, const char *bytes, size_t n) {
  fprintf(out, "%zx\r\n", n);
  fwrite(bytes, 1, n, out);
  fputs("\r\n", out);
}

static void write_completion(FILE *out, long bytes) {
  fputs("{\"id\":\"chatcmpl-9sT3vQbX1kYzR7wLmN4pC8dE\",\"object\":\"chat.completion\","
        "\"created\":1700000000,\"model\":\"gpt-4-0613\",\"choices\":[{\"index\":0,\"message\":"
        "{\"role\":\"assistant\",\"content\":\"",
        out);
  write_words(out, bytes);
  fputs("\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":12,"
        "\"total_tokens\":21}}",
        out);
}

/* ---- embeddings ---- */

static float number(long i, long j) {
  return (float)((i * 131 + j * 17) % 20011 - 10005) / 100057.0F;
}

static void write_base64(FILE *out, const unsigned char *bytes, long n) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (long i = 0; i < n; i += 3) {
    uint32_t bits = (uint32_t)bytes[i] << 16;
    if (i + 1 < n) bits |= (uint32_t)bytes[i + 1] << 8;
    if (i + 2 < n) bits |= bytes[i + 2];
    fputc(digits[bits >> 18], out);
    fputc(digits[bits >> 12 & 63], out);
    fputc(i + 1 < n ? digits[bits >> 6 & 63] : '=', out);
    fputc(i + 2 < n ? digits[bits & 63] : '=', out);
  }
}

static void write_vector(FILE *out, long i, long length, int as_text) {
  float *vector = calloc((size_t)length, sizeof *vector);
  if (vector == NULL) exit(1);
  for (long j = 0; j < length; j++) vector[j] = number(i, j);
  fputc(as_text ? '"' : '[', out);
  if (as_text) write_base64(out, (const unsigned char *)vector, length * (long)sizeof *vector);
  for (long j = 0; !as_text && j < length; j++) fprintf(out, "%s%.9g", j > 0 ? "," : "", vector[j]);
  fputc(as_text ? '"' : ']', out);
  free(vector);
}

static void write_embeddings(FILE *out, long count, long length, int as_text) {
  fputs("{\"object\":\"list\",\"data\":[", out);
  for (long i = 0; i < count; i++) {
    fprintf(out, "%s{\"object\":\"embedding\",\"index\":%ld,\"embedding\":", i > 0 ? "," : "", i);
    write_vector(out, i, length, as_text);
    fputc('}', out);
  }
  fputs(
      "],\"model\":\"text-embedding-3-small\",\"usage\":{\"prompt_tokens\":8,\"total_tokens\":8}}",
      out);
}

/* ---- whole answers ---- */

static void set_head(answer *a, const char *status, const char *fields) {
  FILE *out = open_piece(&a->head);
  fprintf(out, "HTTP/1.1 %s\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nServer: bench\r\n", status);
  fprintf(out, "x-request-id: req_0123456789abcdef\r\n%s", fields);
  if (a->closes) fputs("Connection: close\r\n", out);
  fputs("\r\n", out);
  fclose(out);
}

static void set_json_head(answer *a, const char *status) {
  char fields[128];
  snprintf(fields, sizeof fields, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
           a->tail.n);
  set_head(a, status, fields);
}

static void set_completion(answer *a, long bytes) {
  FILE *out = open_piece(&a->tail);
  write_completion(out, bytes);
  fclose(out);
  set_json_head(a, "200 OK");
}

static void set_embeddings(answer *a, long count, long length, int as_text) {
  FILE *out = open_piece(&a->tail);
  write_embeddings(out, count, length, as_text);
  fclose(out);
  set_json_head(a, "200 OK");
}

static void set_refusal(answer *a, const char *status, const char *body) {
  a->tail.bytes = strdup(body);
  a->tail.n = strlen(body);
  set_json_head(a, status);
}

/* With the first chunk, which names the role and has no text. */
static void set_events_head(answer *a) {
  set_head(a, "200 OK", "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n");
  piece both;
  FILE *out = open_piece(&both);
  fwrite(a->head.bytes, 1, a->head.n, out);
  write_http_chunk(out, first_event, sizeof first_event - 1);
  fclose(out);
  free(a->head.bytes);
  a->head = both;
}

static piece events(long count, long bytes) {
  piece p;
  FILE *out = open_piece(&p);
  for (long i = 0; i < count; i++) write_event(out, bytes);
  fclose(out);
  return p;
}

static piece as_http_chunk(piece inner) {
  piece p;
  FILE *out = open_piece(&p);
  if (inner.n > 0) write_http_chunk(out, inner.bytes, inner.n);
  fclose(out);
  free(inner.bytes);
  return p;
}

static void set_tail(answer *a, piece rest) {
  FILE *out = open_piece(&a->tail);
  fwrite(rest.bytes, 1, rest.n, out);
  write_http_chunk(out, last_events, sizeof last_events - 1);
  fputs("0\r\n\r\n", out);
  fclose(out);
  free(rest.bytes);
}

static void set_stream(answer *a, long count, long bytes) {
  piece one = events(1, bytes);
  long a_block = one.n < BLOCK_BYTES ? BLOCK_BYTES / (long)one.n : 1;
  free(one.bytes);
  set_events_head(a);
  a->block = as_http_chunk(events(a_block, bytes));
  a->times = count / a_block;
  set_tail(a, as_http_chunk(events(count % a_block, bytes)));
}

static void set_slow(answer *a, long count) {
  set_events_head(a);
  a->slow = count;
  set_tail(a, events(0, 0));
}

/* Returns whether there is such an answer. */
static int render(answer *a, const char *name, long first, long second) {
  if (strcmp(name, "chat") == 0)
    set_completion(a, 60);
  else if (strcmp(name, "close") == 0)
    a->closes = 1, set_completion(a, 60);
  else if (strcmp(name, "big") == 0)
    set_completion(a, first);
  else if (strcmp(name, "stream") == 0)
    set_stream(a, first, second > 0 ? second : 5);
  else if (strcmp(name, "slow") == 0)
    set_slow(a, first);
  else if (strcmp(name, "floats") == 0)
    set_embeddings(a, first, second, 0);
  else if (strcmp(name, "base64") == 0)
    set_embeddings(a, first, second, 1);
  else if (strcmp(name, "denied") == 0)
    set_refusal(a, "403 Forbidden",
                "{\"detail\":\"Request denied by policy 'no-secrets'\",\"error_code\":"
                "\"POLICY_DENIED\",\"policy_name\":\"no-secrets\"}");
  else if (strcmp(name, "broke") == 0)
    set_refusal(a, "429 Too Many Requests",
                "{\"error\":{\"message\":\"Budget has been exceeded! Current cost: 12.5, Max "
                "budget: 10.0\",\"type\":\"budget_exceeded\",\"param\":null,\"code\":\"400\"}}");
  else
    return 0;
  return 1;
}

const answer *answer_for(const char *path) {
  static answer known[MAX_ANSWERS];
  static int count;
  char name[16] = "";
  long first = 0, second = 0;
  size_t n = path[0] == '/' ? strcspn(path + 1, "/?") + 1 : 0;
  for (int i = 0; i < count; i++)
    if (strlen(known[i].path) == n && memcmp(known[i].path, path, n) == 0) return &known[i];
  if (n == 0 || n >= sizeof known[0].path || count == MAX_ANSWERS) return NULL;
  sscanf(path, "/%15[a-z0-9]-%ld-%ld", name, &first, &second);
  if (!render(&known[count], name, first, second)) return NULL;
  memcpy(known[count].path, path, n);
  return &known[count++];
}

piece answer_stamped(long long moment) {
  static char text[512];
  static const char form[] =
      "%zx\r\ndata: {\"id\":\"chatcmpl-9sT3vQbX1kYzR7wL\",\"object\":\"chat.completion.chunk\","
      "\"created\":1700000000,\"model\":\"gpt-4-0613\",\"choices\":[{"
      "\"index\":0,\"delta\":{\"content\":\"%019lld\"},\"finish_reason\":null"
      "}]}\n\n\r\n";
  static size_t inner;
  int n;
  if (inner == 0) inner = (size_t)snprintf(text, sizeof text, form, (size_t)0, moment) - 5;
  n = snprintf(text, sizeof text, form, inner, moment);
  return (piece){text, (size_t)n};
}
