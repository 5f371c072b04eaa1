/* spawn.c: runs a command again and again and prints what a run takes, from its start to its end.
 *
 *   spawn TIMES COMMAND...     prints a line (see measure.lua); a unit is a run
 *
 * Leans on POSIX. The command's output is dropped.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "measure.h"

extern char **environ;

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void run(char **argv, posix_spawn_file_actions_t *actions) {
  pid_t child;
  int status;
  if (posix_spawnp(&child, argv[0], actions, NULL, argv, environ) != 0 ||
      waitpid(child, &status, 0) != child || status != 0) {
    fprintf(stderr, "spawn: %s failed\n", argv[0]);
    exit(1);
  }
}

int main(int argc, char **argv) {
  posix_spawn_file_actions_t actions;
  struct rusage used;
  if (argc < 3) return 2;
  int times = atoi(argv[1]);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  double started = measure_now();
  for (int i = 0; i < times; i++) run(argv + 2, &actions);
  double wall = measure_now() - started;
  getrusage(RUSAGE_CHILDREN, &used);
  printf("%.9f %.9f %d\n", wall, seconds(used.ru_utime) + seconds(used.ru_stime), times);
  return 0;
}
