#!/bin/sh
# Hundreds of mixed calls at once through a faulty gateway, each one's end counted.   sh bench/soak.sh [seconds [calls]]
# Ends with what became of them; fails when one hung, told an untruth, or something grew.   SOAK_SEED repeats a run's
# choices; SOAK_LUA runs it in another Lua, SOAK_BUILD against another build.
set -eu
cd "$(dirname "$0")/.."
. .ci/setup.sh
need gcc libc6-dev make pkg-config lua5.4 liblua5.4-dev libcurl4-openssl-dev lua-cjson luajit lua-http openssl
make -s LUA=5.4
on_path "${SOAK_BUILD:-build/5.4}"
ulimit -n "$(ulimit -Hn)"
exec ${SOAK_LUA:-lua5.4} bench/soak.lua "${1:-60}" "${2:-300}"
