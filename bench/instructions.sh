#!/bin/sh
# Counts the instructions of a chat, a chunk and a collected chunk and holds them against those recorded.
#   sh bench/instructions.sh           fails when one is off by more than 5 % (CI runs this)
#   sh bench/instructions.sh record    writes bench/instructions/recorded.lua
#   sh bench/instructions.sh stages    prints where they go
set -eu
cd "$(dirname "$0")/.."
. .ci/setup.sh
. bench/tools.sh
need gcc valgrind libc6-dev make pkg-config lua5.4 liblua5.4-dev libcurl4-openssl-dev libssl-dev lua-cjson
make -s LUA=5.4
build_tools server bare
on_path build/5.4
LUA_CPATH="$PWD/build/bench/5.4/?.so;$LUA_CPATH"
exec lua5.4 bench/instructions/count.lua "$@"
