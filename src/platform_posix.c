/* platform_posix.c: what platform.h asks of the system, where that is POSIX. */
#ifndef _WIN32
#define _POSIX_C_SOURCE 200809L
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MODE 0666 /* less what the process's umask takes away */

int64_t platform_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void platform_error_text(int number, char *text, size_t size) {
  if (strerror_r(number, text, size) != 0) text[0] = '\0';
}

/* ---- broken pipes ---- */

static bool is_pending(int signal) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, signal) == 1;
}

static sigset_t only(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

/* One that is pending already is somebody else's, and stays so. */
bool platform_hold_pipes(void) {
  sigset_t pipe = only(SIGPIPE), before;
  return !is_pending(SIGPIPE) && pthread_sigmask(SIG_BLOCK, &pipe, &before) == 0 &&
         sigismember(&before, SIGPIPE) == 0;
}

void platform_release_pipes(bool held) {
  sigset_t pipe = only(SIGPIPE);
  int taken;
  if (!held) return;
  if (is_pending(SIGPIPE)) sigwait(&pipe, &taken);
  pthread_sigmask(SIG_UNBLOCK, &pipe, NULL);
}

/* ---- files ---- */

int platform_open(const char *path, platform_mode mode) {
  if (mode == PLATFORM_READ) return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (mode == PLATFORM_WRITE) return open(path, O_WRONLY | O_CLOEXEC);
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
}

int platform_look(int fd, platform_file *about) {
  struct stat found;
  if (fstat(fd, &found) != 0) return errno;
  about->is_directory = S_ISDIR(found.st_mode);
  about->is_regular = S_ISREG(found.st_mode);
  about->size = about->is_regular ? (uint64_t)found.st_size : 0;
  return 0;
}

int platform_is_private(const char *path) {
  struct stat found;
  if (stat(path, &found) != 0) return -1;
  return (found.st_mode & (S_IRGRP | S_IROTH)) == 0;
}

/* ---- the terminal ---- */

bool platform_is_terminal(int fd) {
  return isatty(fd) != 0;
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal) {
  (void)signal;
  interrupted = 1;
}

/* Without SA_RESTART: a read gives up. */
int platform_watch_interrupts(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGINT, &action, NULL);
}

bool platform_take_interrupt(void) {
  bool taken = interrupted != 0;
  interrupted = 0;
  return taken;
}

#else
typedef int platform_posix_is_not_built;
#endif
