/* platform_win32.c: what platform.h asks of the system, on Windows. */
#ifdef _WIN32
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0601 /* Windows 7 */
#endif
#include "platform.h"

#include <winsock2.h>
#include <windows.h>

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#define SECOND INT64_C(1000000000)
#define WORDS  256 /* as many characters of the system's words are read */

/* In two parts: the whole count in nanoseconds would not fit. */
int64_t platform_now(void) {
  LARGE_INTEGER count, rate;
  QueryPerformanceCounter(&count);
  QueryPerformanceFrequency(&rate);
  int64_t seconds = count.QuadPart / rate.QuadPart, rest = count.QuadPart % rate.QuadPart;
  return seconds * SECOND + rest * SECOND / rate.QuadPart;
}

/* ---- the process ---- */

/* There is no fork(). */
long platform_process_mark(void) {
  return 1;
}

void platform_pin(void (*function)(void)) {
  HMODULE library;
  LPCWSTR address;
  memcpy(&address, &function, sizeof address);
  (void)GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                           address, &library);
}

/* Windows has TLS of its own (Schannel), of which nothing is asked. */
platform_function *platform_symbol(void (*function)(void), const char *name) {
  (void)function, (void)name;
  return NULL;
}

/* There are no signals of pipes. */
bool platform_hold_pipes(void) {
  return false;
}

void platform_release_pipes(bool held) {
  (void)held;
}

/* Windows ends its words with a full stop and a new line. */
static DWORD without_end(const wchar_t *words, DWORD n) {
  while (n > 0 && (words[n - 1] <= L' ' || words[n - 1] == L'.')) n--;
  return n;
}

/* The C library has words for its own numbers, the system for those of sockets. */
void platform_error_text(int number, char *text, size_t size) {
  wchar_t words[WORDS];
  text[0] = '\0';
  if (number < WSABASEERR) {
    strncat(text, strerror(number), size - 1);
    return;
  }
  DWORD n = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                           (DWORD)number, 0, words, WORDS, NULL);
  n = without_end(words, n);
  int length =
      n == 0 ? 0 : WideCharToMultiByte(CP_UTF8, 0, words, (int)n, text, (int)size - 1, NULL, NULL);
  text[length] = '\0';
}

/* ---- files ---- */

int platform_open(const char *path, platform_mode mode) {
  const int flags = _O_BINARY | _O_NOINHERIT;
  if (mode == PLATFORM_READ) return _open(path, flags | _O_RDONLY);
  if (mode == PLATFORM_WRITE) return _open(path, flags | _O_WRONLY);
  return _open(path, flags | _O_WRONLY | _O_CREAT | _O_EXCL, _S_IREAD | _S_IWRITE);
}

int platform_look(int fd, platform_file *about) {
  struct _stat64 found;
  if (_fstat64(fd, &found) != 0) return errno;
  about->is_directory = (found.st_mode & _S_IFMT) == _S_IFDIR;
  about->is_regular = (found.st_mode & _S_IFMT) == _S_IFREG;
  about->size = about->is_regular ? (uint64_t)found.st_size : 0;
  return 0;
}

int platform_is_private(const char *path) {
  return _access(path, 0) == 0 ? 1 : -1;
}

/* ---- the terminal ---- */

bool platform_is_terminal(int fd) {
  return _isatty(fd) != 0;
}

static atomic_bool interrupted;

/* Windows calls it in a thread of its own. */
static BOOL WINAPI on_control(DWORD event) {
  if (event != CTRL_C_EVENT) return FALSE;
  atomic_store(&interrupted, true);
  return TRUE;
}

int platform_watch_interrupts(void) {
  return SetConsoleCtrlHandler(on_control, TRUE) ? 0 : -1;
}

bool platform_take_interrupt(void) {
  return atomic_exchange(&interrupted, false);
}

#else
typedef int platform_win32_is_not_built;
#endif
