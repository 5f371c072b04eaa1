#!/bin/sh
# Prints how far five calls walk through the library (see walks.lua).   sh bench/walks.sh [record]
set -eu
cd "$(dirname "$0")/.."
. .ci/setup.sh
. bench/tools.sh
need gcc libc6-dev make pkg-config lua5.4 liblua5.4-dev libcurl4-openssl-dev libssl-dev lua-cjson
make -s LUA=5.4
build_tools server
on_path build/5.4
exec lua5.4 bench/walks.lua "$@"
