/* loop.h: drives any number of HTTP exchanges in one thread.
 *
 * A loop owns a curl multi handle (and so the connections, the name cache and
 * the TLS sessions its members share), the poller that waits, and the clocks.
 * What it drives are members: a struct that begins with a loop_member and
 * names its class. transfer.h has the one class there is.
 *
 * Nothing here calls Lua, raises, prints or exits. A loop belongs to one
 * thread, and to the process that made it: after fork() the child may only
 * free it.
 */
#ifndef LLMG_LOOP_H
#define LLMG_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"
#include "socket.h"
#include "visibility.h"
LLMG_HIDDEN_BEGIN

typedef struct loop loop;
typedef struct loop_member loop_member;

typedef struct loop_class {
  /* Curl is done with the member: it reads what it wants from m->easy, then calls loop_stop. It may
   * free itself. */
  void (*done)(loop_member *m, CURLcode code);
  /* Ends the member if a clock of its has run out. Returns when to ask again (CLOCK_NEVER: no
   * more). The member may free itself. */
  int64_t (*check_deadlines)(loop_member *m, int64_t now);
  /* Nobody drove the loop for `ns` before `now`: that time does not count as silence. */
  void (*skip_idle_time)(loop_member *m, int64_t ns, int64_t now);
  /* The loop is going away; the exchange is stopped and the member has left. */
  void (*orphaned)(loop_member *m);
} loop_class;

struct loop_member {
  const loop_class *class;
  loop *loop;             /* NULL when it is in none */
  CURL *easy;             /* from loop_easy; NULL when no exchange is under way */
  list node;              /* in the loop's members */
  list ready;             /* in the loop's ready queue */
  void *owner;            /* whatever its user wants to find it by */
  bool running;           /* its exchange is under way */
  bool drains;            /* only its connection is of use: see loop_drain */
  bool rereads;           /* see loop_reread */
  socket_user connection; /* the socket that carries its exchange, once that is known */
};

/* A new loop, or NULL when there is no memory or no descriptor left. */
loop *loop_new(void);

/* Orphans the members and closes every connection. In a forked child it closes the child's copies
 * of the sockets and touches nothing that is shared. After it only loop_free may be called. */
void loop_close(loop *l);

/* Closes the loop if that was not done, and its descriptor, and frees it; NULL is allowed. */
void loop_free(loop *l);

/* Whether this process made the loop. In a forked child it is false, and only loop_free may be
 * called. */
bool loop_is_ours(const loop *l);

/* The descriptor that is readable when loop_step has something to do, or -1 where there is none.
 * Asking also marks the loop as watched: the caller promises to step when it is readable. */
int loop_watch(loop *l);

/* Waits for I/O until `wait` nanoseconds have passed at most (CLOCK_NEVER: no limit) and does what
 * is due; returns at once when a member is ready. Gives back early when doing takes longer than
 * `budget` nanoseconds (CLOCK_NEVER: no limit). Time in which nobody drove the loop is no silence.
 * Undriven time is: if nobody watches the descriptor, whatever exceeds 0.1 s since the last step;
 * if somebody does, how far the earliest clock is overdue; and by how much a wait was longer than
 * it was meant to be, as when the process was stopped. */
void loop_step(loop *l, int64_t wait, int64_t budget);

/* The same for a caller who waits for one member alone, and looks at that itself: nobody is to hear
 * which members became ready, before it or by it, and the alarm is unset. */
void loop_wait(loop *l, int64_t wait);

/* Makes the descriptor readable at `moment`, for work that the loop knows nothing of; see
 * poller_alarm. */
void loop_alarm(loop *l, int64_t moment);

/* How many exchanges are under way. */
size_t loop_running(const loop *l);

/* The next member that called loop_ready, in the order of the calls, or NULL. */
loop_member *loop_next_ready(loop *l);

/* ---- for members ---- */

/* libcurl may hold more for the member than its socket tells: it is asked again before the loop
 * next waits. */
void loop_reread(loop_member *m);

/* The sockets of the loop's connections. */
sockets *loop_sockets(loop *l);

/* Makes `m` a member with an easy handle that has no options yet. Returns 0, or -1 without memory.
 */
int loop_join(loop *l, loop_member *m);

/* Starts the exchange that the options of m->easy describe. Returns 0 or -1. */
int loop_start(loop_member *m);

/* Starts an exchange of m->easy that is over once more, as its options are now. Returns 0 or -1. */
int loop_restart(loop_member *m);

/* Lets a paused exchange go on; what libcurl has kept of it comes before this returns. */
CURLcode loop_unpause(loop_member *m);

/* Ends the exchange, whatever it was doing: an unfinished one closes its connection. m->easy is
 * gone; the member stays, and may be ready. */
void loop_stop(loop_member *m);

/* Stops a member's exchange and takes it out of the loop. Allowed for one that is in none. */
void loop_leave(loop_member *m);

/* The member only drains from here on: see loop_drain. */
void loop_drains(loop_member *m);

/* Puts a member at the end of the ready queue, once. */
void loop_ready(loop_member *m);

/* For check_deadlines: has libcurl look, after it, at the connections that are being made. It gives
 * no sign when one has had its time, and the host's next address its turn. */
void loop_poke_all(loop *l);

/* A clock of the member's may run out at `moment`: check its deadlines then. */
void loop_arm_deadline(loop *l, int64_t moment);

/* Lets members that only drain end if their last bytes are here, so that their connections can be
 * used again. */
void loop_drain(loop *l);

LLMG_HIDDEN_END
#endif
