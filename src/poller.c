/* poller.c: see poller.h. The first kind of poller that works here is taken. */
#include "poller_class.h"

#include "clock.h"
#include "readiness.h"

static poller *new_of(const poller_class *class, CURLM *multi) {
  poller *p = class->make(multi);
  if (p == NULL) return NULL;
  p->class = class;
  p->multi = multi;
  p->alarm = CLOCK_NEVER;
  return p;
}

/* Without a descriptor left there is no loop, though it could do without: a host would be told
 * that this system has none. */
poller *poller_new(CURLM *multi) {
#ifdef LLMG_NO_DESCRIPTOR
  return new_of(&poller_multi, multi);
#else
  return new_of(readiness_works() ? &poller_descriptor : &poller_multi, multi);
#endif
}

void poller_free(poller *p) {
  if (p != NULL) p->class->free(p);
}

int poller_watch(poller *p) {
  return p->class->watch(p);
}

void poller_alarm(poller *p, int64_t moment) {
  p->alarm = moment;
  p->class->alarm(p);
}

void poller_rest(poller *p) {
  p->alarm = CLOCK_NEVER;
  p->class->rest(p);
}

bool poller_drive(poller *p, int64_t until, int64_t budget) {
  return p->class->drive(p, until, budget);
}

poller_wait poller_last_wait(const poller *p) {
  return p->wait;
}

void poller_reread(poller *p, curl_socket_t fd) {
  p->class->reread(p, fd);
}

void poller_poke_all(poller *p) {
  p->class->poke_all(p);
}
