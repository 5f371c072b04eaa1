/* cuts.c: an answer in three pieces, for every pair of places to cut it, through the C core.
 *
 *   cuts FILE STRIDE    FILE has an answer as it goes over the wire; every STRIDEth pair is tried
 *
 * Prints what comes of the whole answer, then how many pairs were tried; the first that comes to
 * anything else ends it. The pieces are reads of their own: see peer.h.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "clock.h"
#include "loop.h"
#include "peer.h"
#include "transfer.h"

#define MOST_BYTES 65536
#define MOST_STEPS 2000000 /* of the client, for a piece or a request: a bug must not hang */

typedef struct play {
  loop *loop;
  int listener;
  char url[64];
  peer peer;
} play;

static void give_up(const char *why) {
  printf("cuts: %s\n", why);
  exit(2);
}

static void step(play *p) {
  loop_step(p->loop, 0, CLOCK_NEVER);
}

/* A kept connection brings its next request; otherwise a new one does. */
static void take_request(play *p) {
  char bytes[4096];
  size_t n = 0;
  for (int i = 0; i < MOST_STEPS; i++) {
    step(p);
    peer fresh = {-1, -1, 0};
    if (peer_accept(p->listener, &fresh)) {
      peer_close(&p->peer, false);
      p->peer = fresh;
    }
    if (p->peer.fd < 0) continue;
    long got = peer_read(&p->peer, bytes + n, sizeof bytes - n);
    if (got == 0) peer_close(&p->peer, false);
    if (got > 0) n += (size_t)got;
    if (n >= 4 && memcmp(bytes + n - 4, "\r\n\r\n", 4) == 0) return;
  }
  give_up("no request came");
}

static void send_piece(play *p, const char *bytes, size_t n) {
  if (n == 0) return;
  if (!peer_send(&p->peer, bytes, n)) give_up("the client went away");
  for (int i = 0; i < MOST_STEPS; i++) {
    step(p);
    if (peer_unread(&p->peer) == 0) return;
  }
  give_up("the client does not read");
}

static void note(buffer *result, const char *bytes, size_t n) {
  if (buffer_append(result, bytes, n) != 0 || buffer_append(result, "\n", 1) != 0)
    give_up("no memory");
}

static void note_events(play *p, transfer *t, buffer *result) {
  sse_event event;
  bool unfinished;
  transfer_status status;
  while ((status = transfer_next(t, &event, &unfinished)) != TRANSFER_END) {
    if (status == TRANSFER_FAILED) {
      note(result, "failed", 6);
      return;
    }
    if (status == TRANSFER_WAIT) {
      step(p);
      continue;
    }
    note(result, event.type, event.type_length);
    note(result, event.data, event.data_length);
  }
}

static void note_body(play *p, transfer *t, buffer *result) {
  const buffer *body;
  transfer_status status;
  while ((status = transfer_body(t, &body)) == TRANSFER_WAIT) step(p);
  if (status == TRANSFER_FAILED)
    note(result, "failed", 6);
  else
    note(result, buffer_bytes(body), buffer_length(body));
}

static void note_all(play *p, transfer *t, buffer *result) {
  while (transfer_head(t) == TRANSFER_WAIT) step(p);
  note(result, buffer_bytes(transfer_headers(t)), buffer_length(transfer_headers(t)));
  if (transfer_is_event_stream(t))
    note_events(p, t, result);
  else
    note_body(p, t, result);
}

/* One exchange, its answer cut at two places. Where nothing tells its length, its end does. */
static void run(play *p, const char *bytes, size_t n, size_t first, size_t second, buffer *result) {
  transfer_options o = {.method = "GET", .url = p->url, .stream = true, .proxy = ""};
  o.timeout = 5 * ONE_SECOND;
  o.max_body_bytes = o.max_event_bytes = MOST_BYTES;
  buffer_clear(result);
  transfer *t = transfer_new(p->loop);
  if (t == NULL || transfer_start(t, &o) != 0) give_up("cannot start");
  take_request(p);
  send_piece(p, bytes, first);
  send_piece(p, bytes + first, second - first);
  send_piece(p, bytes + second, n - second);
  if (strstr(bytes, "chunked") == NULL && strstr(bytes, "Content-Length") == NULL)
    peer_close(&p->peer, false);
  note_all(p, t, result);
  transfer_free(t);
}

static bool same(const buffer *a, const buffer *b) {
  return buffer_length(a) == buffer_length(b) &&
         memcmp(buffer_bytes(a), buffer_bytes(b), buffer_length(a)) == 0;
}

static long run_pairs(play *p, const char *bytes, size_t n, long stride, const buffer *whole) {
  buffer result = {0};
  long index = 0, tried = 0;
  for (size_t first = 1; first < n; first++) {
    for (size_t second = first; second < n; second++) {
      if (index++ % stride != 0) continue;
      run(p, bytes, n, first, second, &result);
      tried++;
      if (same(&result, whole)) continue;
      printf("cut at %zu and %zu:\n%.*s\n", first, second, (int)buffer_length(&result),
             buffer_bytes(&result));
      exit(1);
    }
  }
  buffer_free(&result);
  return tried;
}

static size_t read_file(const char *path, char *to, size_t size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) give_up("no such file");
  size_t n = fread(to, 1, size - 1, file);
  fclose(file);
  to[n] = '\0';
  return n;
}

int main(int count, char **arguments) {
  static char bytes[MOST_BYTES];
  play p = {.peer = {-1, -1, 0}};
  buffer whole = {0};
  int port = 0;
  if (count != 3) give_up("wants FILE STRIDE");
  size_t n = read_file(arguments[1], bytes, sizeof bytes);
  curl_global_init(CURL_GLOBAL_ALL);
  p.loop = loop_new();
  p.listener = peer_listen(&port);
  if (p.loop == NULL || p.listener < 0) give_up("no loop or no listener");
  snprintf(p.url, sizeof p.url, "http://127.0.0.1:%d/", port);
  run(&p, bytes, n, n, n, &whole);
  fwrite(buffer_bytes(&whole), 1, buffer_length(&whole), stdout);
  long tried = run_pairs(&p, bytes, n, strtol(arguments[2], NULL, 10), &whole);
  printf("%ld pairs\n", tried);
  loop_free(p.loop);
  buffer_free(&whole);
  return 0;
}
