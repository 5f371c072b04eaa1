/* wire.h: a server for the core under test, in its own process and thread, on a clock that stands
 * still unless it is told to move.
 *
 * The linker puts wire.c between the core and two functions (--wrap=socket,
 * --wrap=clock_now): a socket that libcurl asks for is one end of a socketpair,
 * the other end is the server's. Libcurl's connect(2) is wire.c's too, and does
 * nothing.
 */
#ifndef LLMG_FUZZ_WIRE_H
#define LLMG_FUZZ_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No connection yet; the clock starts anew. */
void wire_open(bool refuses);

/* Closes every end of the server's. */
void wire_close(void);

/* How many connections were made. */
size_t wire_connections(void);

/* Reads and forgets what the client sent. */
void wire_drain(void);

/* Sends bytes on the last connection. Returns how many it took: 0 when it is full, -1 when it is
 * gone. */
ptrdiff_t wire_send(const char *bytes, size_t n);

/* Ends the last connection: in good order, or by a reset. */
void wire_end(void);
void wire_reset(void);

/* Moves the clock. */
void wire_pass(int64_t ns);

#endif
