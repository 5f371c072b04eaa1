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
  int64_t (*judge)(loop_member *m, int64_t now);
  /* Nobody drove the loop for `ns` before `now`: that time does not count as silence. */
  void (*forgive)(loop_member *m, int64_t ns, int64_t now);
  /* The loop is going away; the exchange is stopped and the member has left. */
  void (*orphaned)(loop_member *m);
} loop_class;

struct loop_member {
  const loop_class *class;
  loop *loop;   /* NULL when it is in none */
  CURL *easy;   /* from loop_easy; NULL when no exchange is under way */
  list node;    /* in the loop's members */
  list ready;   /* in the loop's ready queue */
  void *owner;  /* whatever its user wants to find it by */
  bool running; /* its exchange is under way */
  bool settles; /* only drains */
  bool nudged;  /* see loop_nudge */
  int socket;   /* for loop_nudge: from loop_socket_of */
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

/* See poller_fd. Whoever asks for it is taken to watch it: see the clocks of silence in loop_step.
 */
int loop_fd(loop *l);

/* Waits for I/O until `wait` nanoseconds have passed at most (CLOCK_NEVER: no limit) and does what
 * is due; returns at once when a member is ready. Gives back early when doing takes longer than
 * `budget` nanoseconds (CLOCK_NEVER: no limit). Time in which nobody drove the loop is no silence:
 * without a watched descriptor what is over a tenth of a second since the last step, with one what
 * a clock was due long ago. */
void loop_step(loop *l, int64_t wait, int64_t budget);

/* Makes loop_fd readable at `moment`, for work that the loop knows nothing of; see poller_alarm. */
void loop_alarm(loop *l, int64_t moment);

/* How many exchanges are under way. */
size_t loop_running(const loop *l);

/* The next member that called loop_ready, in the order of the calls, or NULL. */
loop_member *loop_next_ready(loop *l);

/* ---- for members ---- */

/* Curl may hold more for the member than m->socket tells: it is asked again before the loop next
 * waits. */
void loop_nudge(loop_member *m);

/* The open socket from the local address and port to the server's (or proxy's), or -1. */
int loop_socket_of(const loop *l, const char *ip, int port, const char *local_ip, int local_port);

/* Whether an idle connection has an end to read, or (but for HTTP/2) anything at all: a request on
 * it would be lost, or get an answer that is not its own. -1 is a socket that loop_socket_of could
 * not find, and stale. */
bool loop_is_stale(int fd, bool http2);

/* Makes `m` a member with an easy handle that has no options yet. Returns 0, or -1 without memory.
 */
int loop_join(loop *l, loop_member *m);

/* Starts the exchange that the options of m->easy describe. Returns 0 or -1. */
int loop_start(loop_member *m);

/* Starts an exchange of m->easy that is over once more, as its options are now. Returns 0 or -1. */
int loop_restart(loop_member *m);

/* Ends the exchange, whatever it was doing: an unfinished one closes its connection. m->easy is
 * gone; the member stays, and may be ready. */
void loop_stop(loop_member *m);

/* Stops a member's exchange and takes it out of the loop. Allowed for one that is in none. */
void loop_leave(loop_member *m);

/* The member only drains from here on; loop_settle waits for such. */
void loop_settles(loop_member *m);

/* Puts a member at the end of the ready queue, once. */
void loop_ready(loop_member *m);

/* For judge: has libcurl look, after it, at the connections that are being made. It gives no sign
 * when one has had its time, and the host's next address its turn. */
void loop_look_around(loop *l);

/* The member's clock runs out at `moment`, perhaps: judge it then. */
void loop_judge_at(loop *l, int64_t moment);

/* Lets members that only drain end if their last bytes are here, so that their connections can be
 * used again. */
void loop_settle(loop *l);

/* Why the last socket could not be opened (errno), or 0. */
int loop_open_errno(const loop *l);

/* The socket callbacks of every easy handle of the loop: close-on-exec, and known to loop_free. */
curl_socket_t loop_open_socket(void *l, curlsocktype purpose, struct curl_sockaddr *address);
int loop_close_socket(void *l, curl_socket_t fd);

LLMG_HIDDEN_END
#endif
