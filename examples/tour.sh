#!/bin/sh
# The main job, from an empty Debian 12: installs what is missing, builds the C module for Lua 5.4 and runs
# tour.lua against the development gateway.
set -eu
cd "$(dirname "$0")/.."
. .ci/setup.sh
need gcc libc6-dev make pkg-config lua5.4 liblua5.4-dev libcurl4-openssl-dev lua-cjson lua5.1 lua-http
make -s LUA=5.4
on_path build/5.4
exec lua5.4 examples/tour.lua
