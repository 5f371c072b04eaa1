/* wire.h: bytes to and from a client of the load server, with TLS or without.
 * Leans on OpenSSL; knows no HTTP.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stddef.h>

typedef struct ssl_st wire_tls; /* NULL: without TLS */

enum { WIRE_AGAIN = -1, WIRE_GONE = -2 };

/* A listener on 127.0.0.1; writes the port that the kernel chose. Ends the program when there is
 * none. */
int wire_listen(int *port);

/* Reads certificate and key (PEM) for all later wire_secure. Ends the program when it cannot. */
void wire_use_certificate(const char *cert, const char *key);

/* TLS for an accepted descriptor: each handshake is a whole one, nothing is resumed. */
wire_tls *wire_secure(int fd);

/* Each returns how many bytes went, WIRE_AGAIN or WIRE_GONE. */
long wire_read(int fd, wire_tls *tls, char *bytes, size_t n);
long wire_write(int fd, wire_tls *tls, const char *bytes, size_t n);

void wire_close(int fd, wire_tls *tls);

#endif
