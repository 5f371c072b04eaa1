/* poller_class.h: what the kinds of poller share; poller.c chooses among them. */
#ifndef LLMG_POLLER_CLASS_H
#define LLMG_POLLER_CLASS_H

#include "poller.h"
LLMG_HIDDEN_BEGIN

/* A kind of poller. The functions are those of poller.h, each for a poller of its own kind. */
typedef struct poller_class {
  poller *(*make)(CURLM *multi);
  void (*free)(poller *p);
  int (*watch)(poller *p);
  void (*alarm)(poller *p);
  void (*rest)(poller *p);
  bool (*drive)(poller *p, int64_t until, int64_t budget);
  void (*reread)(poller *p, curl_socket_t fd);
  void (*poke_all)(poller *p);
} poller_class;

/* What each poller begins with. */
struct poller {
  const poller_class *class;
  CURLM *multi;
  int64_t alarm;
  poller_wait wait;
};

/* Behind one descriptor, on epoll or kqueue; make returns NULL where neither works. */
extern const poller_class poller_descriptor;

/* On curl_multi_poll, wherever libcurl works. */
extern const poller_class poller_multi;

LLMG_HIDDEN_END
#endif
