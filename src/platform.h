/* platform.h: what the core asks of the system that standard C does not have.
 *
 * platform_posix.c answers with POSIX alone, platform_unix.c with what Linux,
 * macOS and the BSDs have beyond it, platform_win32.c for Windows. Sockets are
 * in socket.h. Nothing here waits, prints or ends the process.
 */
#ifndef LLMG_PLATFORM_H
#define LLMG_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "visibility.h"
LLMG_HIDDEN_BEGIN

/* Nanoseconds since some fixed moment; never goes back. */
int64_t platform_now(void);

/* ---- the process ---- */

/* A number that stays as it is in this process and differs in every child that it forks. Asking for
 * the process id would cost a call into the kernel each time, and every call of the library asks.
 */
long platform_process_mark(void);

/* Keeps the library that holds `function` mapped until the process ends, where the system can. */
void platform_pin(void (*function)(void));

/* The function of that name in the library that holds `function`, or in one that this library leans
 * on; NULL where there is none, or the system cannot tell. Valid while that library is mapped. */
typedef void platform_function(void);
platform_function *platform_symbol(void (*function)(void), const char *name);

/* From here on a write to a pipe that nobody reads any more only fails, in this thread: it raises
 * no SIGPIPE. Returns whether that has to be released again. */
bool platform_hold_pipes(void);

/* Ends what platform_hold_pipes began, if that returned true; `held` is what it returned. */
void platform_release_pipes(bool held);

/* Writes the system's words for an error number to `text`, as UTF-8; "" where it has none. */
void platform_error_text(int number, char *text, size_t size);

/* ---- files ---- */

typedef enum platform_mode {
  PLATFORM_READ,
  PLATFORM_WRITE, /* of a file that is there */
  PLATFORM_CREATE /* to write; fails when the file is there */
} platform_mode;

/* Opens a file whose bytes stay as they are, and which no child process inherits. A pipe that is
 * opened to read does not wait for its writer. Returns a descriptor, or -1 and sets errno. */
int platform_open(const char *path, platform_mode mode);

typedef struct platform_file {
  bool is_directory, is_regular;
  uint64_t size; /* of a regular one */
} platform_file;

/* Says what an open descriptor is. Returns 0, or an error number. */
int platform_look(int fd, platform_file *about);

/* Whether nobody but the owner may read the file: 1 or 0; -1 when there is none. Windows, whose
 * rights are lists, is not asked for them: there it is 1. */
int platform_is_private(const char *path);

/* ---- the terminal ---- */

/* Whether a person may be at a descriptor's other end. */
bool platform_is_terminal(int fd);

/* From here on an interrupt (Ctrl-C) no longer ends the process. Waits of the loop and reads of the
 * terminal return early; on Windows, of these, only the reads. Returns 0, or -1. */
int platform_watch_interrupts(void);

/* Whether there was an interrupt since the last call. */
bool platform_take_interrupt(void);

LLMG_HIDDEN_END
#endif
