#!/bin/sh
# Runs fuzz targets that are built: sh spec/fuzz/run.sh SECONDS TARGET..., from the top of the checkout (make fuzz).
# The corpus of the tree runs first, then what libFuzzer makes of it for so many seconds. New inputs stay in
# build/fuzz/TARGET/corpus, findings in build/fuzz/TARGET/crash-* (or leak-*, timeout-*, oom-*). One line for each
# target says what came of it; the exit status is not 0 when anything was found.
set -eu
seconds=$1
shift
found=0

figures() { # the last "cov: 1 ft: 2" of a log
  grep -aoE 'cov: [0-9]+ ft: [0-9]+' "$1" | tail -n 1
}

for target in "$@"; do
  case $target in
    sse) dictionary=sse leaks=1 ;;
    transfer) dictionary=http leaks=1 ;;
    json) dictionary=json leaks=0 ;; # one Lua state holds all its memory until the end
    decode) dictionary=json leaks=0 ;; # one Lua state holds all its memory until the end
    *) echo "no fuzz target is called '$target': sse, json, transfer, decode" >&2; exit 2 ;;
  esac
  room=build/fuzz/$target
  mkdir -p "$room/corpus"
  status=0
  # ASan would keep 256 MiB of freed blocks: a fraction finds the same here
  ASAN_OPTIONS=quarantine_size_mb=32 "build/fuzz/bin/$target" "$room/corpus" "spec/fuzz/corpus/$target" \
    -dict="spec/fuzz/$dictionary.dict" -artifact_prefix="$room/" -max_total_time="$seconds" -timeout=10 \
    -detect_leaks=$leaks -print_funcs=0 -print_final_stats=1 >"$room/log" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    found=1
    grep -aE -B 12 -A 12 'INVARIANT BROKEN|ERROR: (Address|Leak)Sanitizer|runtime error|ERROR: libFuzzer' "$room/log" | head -n 60
    grep -a 'Test unit written' "$room/log" || tail -n 20 "$room/log"
  fi
  echo "fuzz $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$room/log") executions, $(figures "$room/log")," \
    "$(find "$room" -maxdepth 1 -name '*-*' | wc -l) findings in $room"
done
exit $found
