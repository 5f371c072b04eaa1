#!/bin/sh
# The benchmark (see bench/README.md).   sh bench/bench.sh [QUESTION...]
set -eu
cd "$(dirname "$0")/.."
. .ci/setup.sh
. bench/tools.sh
need gcc libc6-dev make pkg-config openssl util-linux lua5.4 liblua5.4-dev luajit libluajit-5.1-dev \
  libcurl4-openssl-dev libssl-dev lua-cjson
command -v npm >/dev/null || need nodejs npm || echo "pending: OpenAI's SDK for node needs npm"
python3 -c 'import ensurepip' 2>/dev/null || need python3 python3-venv || echo "pending: OpenAI's SDK for Python needs venv"
make -s LUA=5.4
make -s LUA=jit
build_tools server bare limits certificate node python
LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;;"
export LUA_PATH
ulimit -n "$(ulimit -Hn)"
exec lua5.4 bench/report/run.lua "$@"
