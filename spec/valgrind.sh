#!/bin/sh
# Lua 5.4 under valgrind: an error, or a block that nothing points to any more, makes the exit status 99.
exec valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --keep-debuginfo=yes \
  --num-callers=30 lua5.4 "$@"
