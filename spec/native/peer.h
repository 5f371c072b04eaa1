/* peer.h: the server's end of a connection whose client's end is in the same process.
 *
 * One thread plays both: it sends a piece, lets the client read until peer_unread says that all of
 * it was read, and sends the next. So each piece is a read of its own, without a sleep.
 */
#ifndef SPEC_PEER_H
#define SPEC_PEER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct peer {
  int fd;    /* ours, -1 when there is none */
  int other; /* the client's */
  long sent; /* bytes, to the client */
} peer;

/* A listening socket on 127.0.0.1 and a port of the kernel's choice, or -1. */
int peer_listen(int *port);

/* Takes a client that has connected; false when there is none. */
bool peer_accept(int listener, peer *p);

/* Reads what has come, up to `size` bytes; -1 when nothing has, 0 at the end. */
long peer_read(peer *p, char *to, size_t size);

/* Sends all of the bytes; false when the client is gone. */
bool peer_send(peer *p, const char *bytes, size_t n);

/* How many bytes that were sent the client has not read. */
long peer_unread(const peer *p);

/* Ends the connection, with a reset if wanted. Allowed when there is none. */
void peer_close(peer *p, bool reset);

#endif
