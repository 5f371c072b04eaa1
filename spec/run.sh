#!/bin/sh
# All tests, from an empty Debian 12: installs what is missing, builds for every Lua, lints, and runs the specs;
# ends with one line, "N passed, N failed, N skipped". LUAS="5.4 jit" limits it to some Luas.
set -eu
cd "$(dirname "$0")/.."
. .ci/setup.sh

LUAS=${LUAS:-5.4 5.3 5.2 5.1 jit}

need gcc clang libclang-rt-14-dev valgrind libc6-dev make pkg-config binutils ca-certificates curl openssl git procps libcurl4-openssl-dev \
  lua5.4 liblua5.4-dev lua5.3 liblua5.3-dev lua5.2 liblua5.2-dev lua5.1 liblua5.1-0-dev \
  luajit libluajit-5.1-dev lua-cjson lua-http lua-luv lua-cqueues lua-argparse lua-busted lua-check luarocks \
  neovim love xvfb xauth
command -v npm >/dev/null || need nodejs npm

results=$(mktemp)
trap 'rm -f "$results"' EXIT

# Counts a check that is no spec: name, command...
check() {
  name=$1
  shift
  echo "== $name"
  if "$@"; then echo "1 success / 0 failures / 0 errors / 0 pending" >>"$results"
  else echo "0 successes / 1 failure / 0 errors / 0 pending" >>"$results"; fi
}

# Runs busted under one Lua against one build: lua, build folder, specs...
specs() {
  lua=$1 build=$2
  shift 2
  echo "== specs: $lua, $build"
  output=$(mktemp)
  status=0
  (
    on_path "$build"
    SPEC_LUA=$lua SPEC_BUILD=$build
    export SPEC_LUA SPEC_BUILD
    timeout 900 busted --lua="$lua" --output=plainTerminal --shuffle-tests "$@" 2>&1
  ) >"$output" || status=$?
  cat "$output"
  grep -E '^[0-9]+ success(es)? / ' "$output" >>"$results" || status=99
  # what ended badly though no spec failed: a crash at the end, or valgrind's complaint
  if [ $status != 0 ] && ! grep -qE ' / [1-9][0-9]* (failure|error)' "$output"; then
    echo "the process ended with $status"
    echo "0 successes / 0 failures / 1 error / 0 pending" >>"$results"
  fi
  rm -f "$output"
}

interpreter() { if [ "$1" = jit ]; then echo luajit; else echo "lua$1"; fi; }

check "builds with clang" make -s CC=clang LUA=5.4 SUFFIX=-clang
check "builds without epoll" make -s LUA=5.4 EPOLL=no
check "luacheck" luacheck --quiet --no-color lua spec examples bench
# What takes long is tried with 5.4 alone.
for lua in $LUAS; do
  check "builds for Lua $lua" make -s LUA="$lua"
  if [ "$lua" = 5.4 ]; then specs lua5.4 build/5.4 spec
  else specs "$(interpreter "$lua")" "build/$lua" --exclude-tags=long spec; fi
done

specs lua5.4 build/5.4-poll spec/stream_spec.lua spec/task_spec.lua spec/client_spec.lua

for target in sse transfer decode; do
  check "fuzz target builds: $target" make -s fuzz-targets FUZZ="$target"
  check "fuzz: $target" sh spec/fuzz/run.sh "${FUZZ_SECONDS:-10}" "$target"
done

check "builds with sanitizers" make -s LUA=5.4 SUFFIX=-asan CFLAGS="-O1 -g -fsanitize=address,undefined"
gcc -shared -fPIC -o build/alone.so spec/native/alone.c
cat >build/lua5.4-asan <<EOF
#!/bin/sh
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so) build/alone.so" exec lua5.4 "\$@"
EOF
chmod +x build/lua5.4-asan
ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1
export ASAN_OPTIONS UBSAN_OPTIONS
specs build/lua5.4-asan build/5.4-asan --exclude-tags=timed,apart spec

specs spec/valgrind.sh build/5.4 --exclude-tags=timed,apart spec

awk '{ passed += $1; failed += $3 + $5; skipped += $7 }
  END {
    if (skipped > 0) printf "%d skipped: each says why above\n", skipped
    printf "%d passed, %d failed\n", passed, failed
    exit failed > 0 || passed == 0
  }' \
  FS='[ /]+' "$results"
