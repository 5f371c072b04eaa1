#!/bin/sh
# All tests, from an empty Debian 12: installs what is missing, builds for every Lua, lints, and runs the specs; ends
# with one line, "N passed, N failed".
#
#   LUAS="5.4 jit"      these Luas alone
#   QUICK=yes           what `make check` runs: lint, the build and the fast specs under 5.4; installs nothing
#   JOBS=2              how many parts run side by side; one for each processor unless told
#   FUZZ_SECONDS=5      for each fuzz target
#   WINDOWS=yes         the smoke for Windows under Wine too
#   OLD_CURL=yes        libcurl 7.81 too, the oldest that is supported
#
# A part is one line, `part "NAME | COMMAND"`. What cannot run here is skipped, and says why.
set -eu
cd "$(dirname "$0")/.."
. .ci/setup.sh
. .ci/parts.sh

JOBS=${JOBS:-$(nproc 2>/dev/null || echo 2)}
export WERROR=-Werror

there() { command -v "$1" >/dev/null; }

# Whether a Lua is among those that are tried.
wanted() { case " $luas " in *" $1 "*) ;; *) false ;; esac; }

# Specs of one build: name, Lua, arguments of busted, variables of make.
specs() {
  part "specs: $1 | make -s spec LUA=$2 SPEC='--output=plainTerminal --shuffle-tests $3' ${4:-}"
}

# The spec files so named ("sse transports").
spec_files() { echo "$1" | sed 's|[a-z_0-9]\{1,\}|spec/&_spec.lua|g'; }

# All spec files but those named ("sse transports").
all_but() {
  ls spec/*_spec.lua | grep -v -E "/($(echo "$1" | tr ' ' '|'))_spec" | tr '\n' ' '
}

# Every second one of these files, from the first (1) or the second (2) on.
every_second() { echo "$2" | tr ' ' '\n' | awk -v first="$1" 'NR % 2 == first % 2' | tr '\n' ' '; }

# The files for a Lua that is not 5.4. What 5.2 and 5.3 have is in 5.1 or 5.4 too, each part of it: they share the specs
# that lean on no language.
LANGUAGE="json client chunks stream task loop tools"
files_for() {
  case $1 in
    5.2) spec_files "$LANGUAGE" && every_second 1 "$(all_but "transports devgateway $LANGUAGE")" ;;
    5.3) spec_files "$LANGUAGE" && every_second 2 "$(all_but "transports devgateway $LANGUAGE")" ;;
    *) all_but "transports devgateway" ;;
  esac | tr '\n' ' '
}

UNTIMED="--exclude-tags=timed"
TRANSPORTS=spec/transports_spec.lua

if [ "${QUICK:-}" = yes ]; then
  export QUICK
  FAST="--exclude-tags=timed,apart,long"
  HALF="kept limits loop" OTHER="proxy retry secrets"
  part "build | make -s LUA=5.4 -j2"
  part "luacheck | make -s lint"
  run_parts "$JOBS"
  part "transports, 1 of 3 | SPEC_SHARD=1/3 make -s spec SPEC='$FAST $TRANSPORTS'"
  for some in "$HALF" "$OTHER"; do specs "$some" 5.4 "$FAST $(spec_files "$some")"; done
  specs "all others" 5.4 "$FAST $(all_but "transports $HALF $OTHER")"
  run_parts "$JOBS"
  total
  exit
fi

need gcc libc6-dev make pkg-config binutils ca-certificates curl openssl git procps libcurl4-openssl-dev \
  lua5.4 liblua5.4-dev lua-cjson lua-http lua-busted || echo "some things are missing: what is here runs"
need clang libclang-rt-14-dev valgrind lua-check luarocks lua5.3 liblua5.3-dev lua5.2 liblua5.2-dev \
  lua5.1 liblua5.1-0-dev luajit libluajit-5.1-dev lua-luv lua-cqueues lua-argparse cmark-gfm neovim love xvfb xauth \
  cmake libssl-dev zlib1g-dev libnghttp2-dev ||
  echo "some things are missing: what is here runs"
there python3 || need python3 python3-venv || echo "LiteLLM cannot run without Python"
there npm || need nodejs npm || echo "Portkey cannot run without node"

luas=
for lua in ${LUAS:-5.4 5.3 5.2 5.1 jit 5.5}; do
  if [ "$lua" = 5.5 ] && ! there lua5.5; then # Debian has none
    if make -s lua5.5; then luas="$luas 5.5"; else skip "Lua 5.5" "its source could not be had"; fi
    continue
  fi
  name=$(if [ "$lua" = jit ]; then echo luajit; else echo "lua$lua"; fi)
  if there "$name" && pkg-config --exists "$name"; then luas="$luas $lua"; else skip "Lua $lua" "not installed"; fi
done

# What several parts below lean on is built first.
part "builds the core | make -s core -j$JOBS"
run_parts 1
wanted 5.4 || part "builds for Lua 5.4 | make -s LUA=5.4"
for lua in $luas; do part "builds for Lua $lua | make -s LUA=$lua"; done
part "builds with sanitizers | make -s asan"
run_parts "$JOBS"

# What is no matter of time, side by side, the longest first; one more than there are processors, because specs wait as
# much as they work. The C core is the same under every Lua: the transports are tried in full with 5.4, there under ASan
# too, and by parts elsewhere; what takes long, and what runs in processes of its own, with 5.4 alone.
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1
PROCESSES="sweep rock process" # most of their time goes into processes that they start
REAL="gateways_run portkey" # gateways that others wrote: LiteLLM takes a minute to install
# Meaning, in Lua alone: bodies and what they say. With the sanitizers it would be tried once more for nothing.
MEANING="errors errors_odd fixtures gateways field address rock sweep doc readme examples cli doctor types house"
# Under valgrind, which is slow, only specs of what C does.
NATIVE="sse json client chunks stream task loop limits faults kept http2 tls retry"
if there valgrind; then
  specs "valgrind" 5.4 "$UNTIMED,apart,long $(spec_files "$NATIVE")" LUA_BINARY=spec/valgrind.sh
  part "valgrind: transports, 1 of 24 | SPEC_SHARD=1/24 make -s valgrind SPEC=$TRANSPORTS"
else
  skip "valgrind" "not installed"
fi
if wanted 5.4; then
  specs "gateways of others" 5.4 "$UNTIMED $(spec_files "$REAL")"
  specs "Lua 5.4, processes" 5.4 "$UNTIMED $(spec_files "$PROCESSES")"
  specs "Lua 5.4" 5.4 "$UNTIMED $(all_but "transports hosts $PROCESSES $REAL")"
  specs "Lua 5.4, transports" 5.4 "$UNTIMED $TRANSPORTS"
  specs "Lua 5.4, cuts, memory and soak" 5.4 "spec/cuts_spec.lua spec/memory_spec.lua spec/soak_spec.lua"
fi
# What a libcurl does in its own way: connections that die, codings, ends, trust.
CURLS="kept http2 wire retry stream limits tls trust client field faults proxy"
part "libcurl 8 | SPEC_SHARD=1/3 sh spec/curl/build.sh 8.22 make -s spec LUA=5.4 SPEC='$UNTIMED $(spec_files "$CURLS") $TRANSPORTS'"
if [ "${OLD_CURL:-}" = yes ]; then
  part "libcurl 7.81 | SPEC_SHARD=1/3 sh spec/curl/build.sh 7.81 make -s spec LUA=5.4 SPEC='$UNTIMED $(spec_files "$CURLS") $TRANSPORTS'"
else
  skip "libcurl 7.81" "asked for by OLD_CURL=yes"
fi
specs "sanitizers" 5.4 "$UNTIMED,apart $(all_but "transports $MEANING")" "SUFFIX=-asan LUA_BINARY=build/lua5.4-asan"
specs "sanitizers, transports" 5.4 "$TRANSPORTS" "SUFFIX=-asan LUA_BINARY=build/lua5.4-asan"
for lua in $luas; do
  case $lua in
    5.4) ;;
    5.5) # for which there are no lua-cjson and no cqueues
      specs "Lua 5.5" 5.5 "$UNTIMED,apart,long $(all_but "transports devgateway json loop retry clocks bad_input")"
      part "Lua 5.5: transports, 1 of 4 | SPEC_SHARD=1/4 make -s spec LUA=5.5 SPEC=$TRANSPORTS"
      ;;
    *)
      shard=$(((${shard:-0} + 1)))
      specs "Lua $lua" "$lua" "$UNTIMED,long $(files_for $lua)"
      part "Lua $lua: transports, $shard of 4 | SPEC_SHARD=$shard/4 make -s spec LUA=$lua SPEC=$TRANSPORTS"
      if [ "$lua" = 5.1 ] || [ "$lua" = jit ]; then specs "Lua $lua, memory" "$lua" "spec/memory_spec.lua"; fi
      ;;
  esac
done
specs "without epoll" 5.4 "$UNTIMED spec/stream_spec.lua spec/task_spec.lua spec/client_spec.lua" EPOLL=no
if there emmylua_check; then
  part "types of the documentation | sh spec/types.sh"
else
  skip "types of the documentation" "emmylua_check is not installed (cargo install emmylua_check@0.25.1)"
fi
if [ "${WINDOWS:-}" != yes ]; then # it builds libcurl and Lua for Windows first: three minutes more
  skip "Windows, under Wine" "asked for by WINDOWS=yes"
elif there x86_64-w64-mingw32-gcc && there wine && there cmake && there cargo; then
  part "Windows, under Wine | sh spec/windows.sh"
else
  skip "Windows, under Wine" "wine64, gcc-mingw-w64-x86-64-win32, cmake or cargo is not installed"
fi
run_parts $((JOBS + 1))

# What draws frames: alone.
specs "hosts" 5.4 spec/hosts_spec.lua
run_parts 1

# What measures time spends most of it waiting: side by side, with 5.4, the oldest Lua and LuaJIT. What no clock watches
# gets the processors when nobody else wants them.
TIMED=$(grep -l '#timed' spec/*_spec.lua | grep -v -E '/(cuts|memory|soak)_spec' | tr '\n' ' ')
POLITE="nice -n 19"
if wanted 5.4; then specs "Lua 5.4, timed" 5.4 "--tags=timed $TIMED"; fi
for lua in 5.1 jit; do
  if wanted $lua; then specs "Lua $lua, timed" $lua "--tags=timed --exclude-tags=long $TIMED"; fi
done
if there python3 && python3 -m venv --help >/dev/null 2>&1; then
  part "compiles for musl, macOS, the BSDs and Windows | $POLITE sh spec/cross.sh"
else
  skip "compiles for musl, macOS, the BSDs and Windows" "python3-venv is not installed"
fi
if there clang; then
  part "builds with clang | $POLITE make -s CC=clang LUA=5.4 SUFFIX=-clang"
  for target in sse json transfer decode; do
    part "fuzz: $target | $POLITE make -s fuzz-targets FUZZ=$target && $POLITE sh spec/fuzz/run.sh ${FUZZ_SECONDS:-5} $target"
  done
else
  skip "clang and the fuzz targets" "clang is not installed"
fi
if there luacheck; then part "luacheck | $POLITE make -s lint"; else skip "luacheck" "not installed"; fi
if there valgrind; then part "instructions | $POLITE make -s instructions"; fi
run_parts $((JOBS + 2))
total
