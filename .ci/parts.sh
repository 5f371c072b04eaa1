# parts.sh: runs a list of parts, side by side or alone, and counts what came of them; read by a shell from the top of
# the checkout.
#
# part "NAME | COMMAND"   adds a part to the list; COMMAND is a line of shell
# skip "NAME" "WHY"       counts a part that cannot run here
# run_parts N             runs what is in the list, N at a time, in the list's order, and empties it
# total                   prints how many passed and failed; not 0 when one failed or none passed

ROOM=$(mktemp -d)
export ROOM
: >"$ROOM/parts"
: >"$ROOM/results"
trap 'rm -rf "$ROOM"' EXIT

part() { printf '%s\n' "$1" >>"$ROOM/parts"; }

skip() {
  echo "== $1: skipped: $2"
  echo "0 0 1" >>"$ROOM/results"
}

run_parts() {
  tr '\n' '\0' <"$ROOM/parts" | xargs -0 -r -n 1 -P "$1" sh .ci/part.sh || true
  : >"$ROOM/parts"
}

total() {
  awk '{ passed += $1; failed += $2; skipped += $3 }
    END {
      if (skipped > 0) printf "%d skipped: each says why above\n", skipped
      printf "%d passed, %d failed\n", passed, failed
      exit failed > 0 || passed == 0
    }' "$ROOM/results"
}
