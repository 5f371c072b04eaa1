/* transfer_files.c: a transfer's files: those that its form sends, and the one that its answer's
 * body is written into. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "transfer_private.h"

/* ---- the form ---- */

static void on_sent(void *self) {
  transfer *t = self;
  t->sent_at = t->active_at = clock_now();
  if (t->options.tell_progress) loop_ready(&t->member);
}

static void on_failure(void *self, const char *why) {
  transfer_note_failure(self, FAILURE_READ_FILE, why);
}

static int on_rewind(void *self) {
  return transfer_on_seek(self, 0, SEEK_SET) == CURL_SEEKFUNC_OK ? 0 : -1;
}

form *transfer_form(transfer *t) {
  const form_owner owner = {t, on_sent, on_failure, on_rewind};
  if (t->form == NULL) t->form = form_new(t->member.easy, &owner);
  return t->form;
}

/* ---- the answer's file ---- */

int transfer_write_into(transfer *t, const char *path) {
  return sink_open(&t->sink, path);
}

static bool note(transfer *t, int number) {
  char why[320];
  if (number == 0) return true;
  snprintf(why, sizeof why, "%.200s: %s", t->sink.path, strerror(number));
  transfer_note_failure(t, FAILURE_WRITE_FILE, why);
  return false;
}

void transfer_begin_file(transfer *t) {
  if (t->http_status < 300) (void)note(t, sink_begin(&t->sink));
}

size_t transfer_write_file(transfer *t, const char *bytes, size_t n) {
  size_t limit = t->options.max_body_bytes;
  if (limit != 0 && t->timings.bytes + (double)n > (double)limit) {
    transfer_note_failure(t, FAILURE_BODY_TOO_LARGE, "the answer is too large");
    return 0;
  }
  if (!note(t, sink_write(&t->sink, bytes, n))) return 0;
  if (t->options.tell_progress) loop_ready(&t->member);
  return n;
}

/* What was not whole is removed by sink_free. */
void transfer_end_file(transfer *t) {
  if (t->failure.class == FAILURE_NONE) (void)note(t, sink_end(&t->sink));
}

/* ---- progress ---- */

static uint64_t body_sent(const transfer *t) {
  if (t->form != NULL) return form_sent(t->form);
  return t->progress == PROGRESS_NONE ? 0 : t->body_sent;
}

transfer_progress_bytes transfer_get_progress(const transfer *t) {
  uint64_t size = t->form != NULL ? form_size(t->form) : buffer_length(&t->request_body);
  return (transfer_progress_bytes){body_sent(t), size, (uint64_t)t->timings.bytes};
}
