/* readiness.h: a set of sockets, and two clocks, behind one descriptor of the system's.
 *
 * readiness_epoll.c has it for Linux, readiness_kqueue.c for macOS and the BSDs.
 * Where there is neither, readiness_none.c says so. The descriptor is readable
 * while a socket of the set is ready or a clock shows.
 */
#ifndef LLMG_READINESS_H
#define LLMG_READINESS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

#if defined(__linux__) && !defined(LLMG_KQUEUE)
#define LLMG_EPOLL 1
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || \
    defined(__DragonFly__)
#define LLMG_KQUEUE 1
#endif

#define READINESS_BATCH 64 /* sockets asked of the kernel at once */

typedef struct readiness {
  int fd;               /* of the set, -1 before it is open */
  int timer_fd, now_fd; /* -1 where the system needs none */
  int now_write_fd;     /* the other end of now_fd, where that is a pipe */
  int64_t armed;        /* when the timer fires, or CLOCK_NEVER */
  bool shows_now;       /* the descriptor is readable until that is taken back */
} readiness;

/* A socket that is ready: `bits` are CURL_CSELECT_*. */
typedef struct ready_socket {
  curl_socket_t fd;
  int bits;
} ready_socket;

/* Whether this system has such a set and it does what is asked of it. */
bool readiness_works(void);

/* Opens an empty set without clocks. Returns 0, or -1 without a descriptor left. */
int readiness_open(readiness *r);

/* Closes all that is open; a set that was not opened is { -1, -1, -1, -1 }. */
void readiness_close(readiness *r);

/* Watches a socket for what libcurl says (CURL_POLL_IN, _OUT, _INOUT); `known`: it is in the set.
 * Returns false where the kernel has no room. */
bool readiness_set(readiness *r, curl_socket_t fd, int what, bool known);

/* Takes a socket out, be it closed already. */
void readiness_remove(readiness *r, curl_socket_t fd);

/* Adds the two clocks. Returns false without a descriptor left. */
bool readiness_open_clocks(readiness *r);

/* Makes the descriptor readable at once, or takes that back. */
void readiness_show_now(readiness *r, bool wanted);

/* Makes the descriptor readable at `moment` (clock.h), or never. Replaces the last such moment. */
void readiness_set_timer(readiness *r, int64_t moment);

/* Waits `ms` milliseconds (-1: no limit) for sockets to be ready, and writes at most
 * READINESS_BATCH of them. Returns how many; `*full`: there may be more. A signal does not end it
 * without a look at what came. */
int readiness_wait(readiness *r, int ms, ready_socket *ready, bool *full);

LLMG_HIDDEN_END
#endif
