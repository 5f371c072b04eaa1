#!/bin/sh
# Holds every Lua block of README.md and doc/, and the examples, against the types that ship with the rock, with
# emmylua_check (crates.io, 0.25.1: cargo install emmylua_check@0.25.1). A warning is a failure; rules of taste are off.
set -eu
cd "$(dirname "$0")/.."

room=$PWD/build/types
rm -rf "$room"
mkdir -p "$room/library" "$room/blocks"
cp lua/llm_gateway/types/llm_gateway.lua "$room/library/"
cp examples/*.lua "$room/blocks/"
for page in README.md doc/*.md; do
  awk -v room="$room/blocks/$(basename "$page" .md)" '
    /^```lua$/ { inside = 1; file = room "-" ++n ".lua"; print "local llm = require \"llm_gateway\"\nlocal client = llm.new{}" >file; next }
    /^```$/ { inside = 0 }
    inside { print >file }' "$page"
done
cat >"$room/.emmyrc.json" <<'EOF'
{
  "workspace": { "library": ["library"] },
  "diagnostics": {
    "disable": [
      "need-check-nil", "unused", "redefined-local", "duplicate-require", "unresolved-require", "unnecessary-assert"
    ]
  }
}
EOF
cd "$room"
emmylua_check --warnings-as-errors .
