#!/bin/sh
# part.sh: runs one part, "NAME | COMMAND", and prints its output whole when it ends; parts.sh starts it. It adds
# "PASSED FAILED SKIPPED" to $ROOM/results: busted's own counts where it ran, else one for the command.
# A command that ends with 69 (EX_UNAVAILABLE) could not run here, and has said why: it counts as skipped.
# With QUICK=yes a part that passed is one line.
name=${1%% | *}
log=$(mktemp "$ROOM/log.XXXXXX")
begun=$(date +%s)

timeout "${PART_SECONDS:-900}" sh -c "${1#* | }" >"$log" 2>&1 &
trap 'kill $!' INT TERM
wait $!
status=$?

# A process that ends badly though no spec failed has crashed, or a checker (valgrind) complains.
counts=$(awk -v status=$status -F '[ /]+' '
  /^[0-9]+ success(es)? \/ / { seen = 1; passed += $1; failed += $3 + $5; skipped += $7 }
  END {
    if (!seen) passed = status == 0
    if (status == 69 && !seen) { print "0 0 1"; exit }
    if (status != 0 && failed == 0) failed = 1
    print passed + 0, failed + 0, skipped + 0
  }' "$log")
echo "$counts" >>"$ROOM/results"
# shellcheck disable=SC2086
set -- $counts

# The last line of `times` is what the command took of the processors: "user system", each as 1m2.34s.
times >"$log.times"
cpu=$(awk -F '[ms ]+' 'END { printf "%d", $1 * 60 + $2 + $3 * 60 + $4 }' "$log.times")

{
  flock 9
  echo "== $name: $1 passed, $2 failed in $(($(date +%s) - begun)) s ($cpu s of a processor)"
  if [ "${QUICK:-}" != yes ] || [ "$2" != 0 ]; then cat "$log"; fi
  [ $status = 0 ] || echo "== $name: ended with status $status"
} 9>"$ROOM/lock"
