/* socket.h: the open sockets of a loop, and what the system knows of them.
 *
 * libcurl opens and closes its sockets through here, so that no child process
 * inherits one, a forked child can close its copies, and the socket of a
 * connection is found by both its ends: CURLINFO_ACTIVESOCKET is -1 inside
 * libcurl 7.88's callbacks. Finding one asks the system about sockets that
 * were not asked for before and about those of one local port, never about
 * all. Nothing here reads or writes what a connection carries.
 *
 * socket.c keeps the table, socket_ends.c asks for the ends; what differs
 * between systems is in socket_posix.c and socket_win32.c, behind the functions
 * called socket_*.
 */
#ifndef LLMG_SOCKET_H
#define LLMG_SOCKET_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"
#include "visibility.h"
LLMG_HIDDEN_BEGIN

#define SOCKET_BUCKETS 512 /* a power of two */

typedef struct open_socket open_socket;

/* The open sockets of a loop; all zero is an empty table. Owned by the loop. */
typedef struct sockets {
  open_socket *by_descriptor[SOCKET_BUCKETS];
  open_socket *by_port[SOCKET_BUCKETS];
  open_socket *unnamed; /* whose local ports nobody has asked for yet */
  size_t count;
  int open_errno; /* why the last one could not be opened, or 0 */
} sockets;

/* An exchange's hold on the socket that carries it. A user of zero bytes holds none. */
typedef struct socket_user {
  list node;
  open_socket *socket; /* NULL when it has none, or the socket was closed */
  int64_t received;    /* what it had brought before this user, in bytes; -1: not known */
  bool brought;        /* it brought more before it was closed */
  uint32_t refused;    /* what socket_first_refused was then */
} socket_user;

/* The two ends of a connection. */
typedef struct socket_ends {
  const char *ip, *local_ip;
  int port, local_port;
} socket_ends;

/* CURLOPT_OPENSOCKETFUNCTION's and CURLOPT_CLOSESOCKETFUNCTION's work. */
curl_socket_t sockets_open(sockets *s, const struct curl_sockaddr *address);
int sockets_close(sockets *s, curl_socket_t fd);

/* Closes every socket and forgets it, without a word to its server: for a forked child. */
void sockets_close_all(sockets *s);

/* Forgets every socket. */
void sockets_clear(sockets *s);

/* The open socket of a connection between two ends, or NULL; valid until it is closed. The system
 * is asked for its ends only where several have its local port. */
open_socket *sockets_find(sockets *s, const socket_ends *ends);

/* Notes that the user's socket brought an answer in HTTP/1.1, whatever had been asked for. Does
 * nothing without a socket. */
void socket_note_http1(const socket_user *u);

/* Whether that was noted. */
bool socket_has_http1(const open_socket *socket);

/* Its descriptor; CURL_SOCKET_BAD for NULL. */
curl_socket_t socket_descriptor(const open_socket *socket);

/* Takes hold of a socket (NULL: of none), in place of the one held. `counts` says that bytes which
 * come from now on are for this user alone. */
void socket_hold(socket_user *u, open_socket *socket, bool counts);

/* Lets go of it; allowed without one. */
void socket_let_go(socket_user *u);

/* Whether the socket has brought bytes since it was held, be it closed by now; false where that
 * is not known. */
bool socket_has_brought(const socket_user *u);

/* Its HTTP/2 server will not act on streams from `first` on: all its users know it from now on.
 * Allowed without a socket. */
void socket_refuse_streams(socket_user *u, uint32_t first);

/* The first stream that its server will not act on, 0 while it has not said so; after the socket
 * was closed too. */
uint32_t socket_first_refused(const socket_user *u);

/* ---- the system's part ---- */

/* A new socket that no child process inherits, or CURL_SOCKET_BAD and errno; on Windows that is
 * Winsock's number, which platform_error_text knows too. */
curl_socket_t socket_open(const struct curl_sockaddr *address);
int socket_close(curl_socket_t fd);

/* Its local port, 0 while it has none. */
int socket_local_port(curl_socket_t fd);

/* Whether it goes from the one end to the other. */
bool socket_joins(curl_socket_t fd, const socket_ends *ends);

/* Whether an idle connection has an end to read, or (but for HTTP/2) anything at all: a request on
 * it would be lost, or get an answer that is not its own. */
bool socket_is_stale(curl_socket_t fd, bool http2);

/* How long it has brought nothing, in nanoseconds, and how many bytes it has brought in all (an end
 * counts as one); -1 where the system does not tell. */
int64_t socket_silence(curl_socket_t fd);
int64_t socket_received(curl_socket_t fd);

LLMG_HIDDEN_END
#endif
