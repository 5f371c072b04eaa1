#!/bin/sh
# Many streams in one thread, beside a C program on the same libcurl in the same run.   sh bench/streams.sh [1000]
set -eu
cd "$(dirname "$0")/.."
. .ci/setup.sh
need gcc libc6-dev make pkg-config lua5.4 liblua5.4-dev libcurl4-openssl-dev lua-cjson
streams=${1:-1000}
mkdir -p build/bench
make -s LUA=5.4
gcc -O2 -o build/bench/server bench/server.c
gcc -O2 -o build/bench/streams bench/streams.c $(pkg-config --cflags --libs libcurl)
on_path build/5.4
ulimit -n "$(ulimit -Hn)"

mkfifo build/bench/stdin build/bench/stdout
trap 'rm -f build/bench/stdin build/bench/stdout' EXIT
build/bench/server 100 <build/bench/stdin >build/bench/stdout &
exec 3>build/bench/stdin 4<build/bench/stdout
read -r port <&4
url=http://127.0.0.1:$port

row() { awk -v name="$1" '{ printf "%-6s %6.3f s  %5.3f of ideal  %5.1f us CPU an event  %5.1f kB a stream  %d events\n",
  name, $1, $1 / 5, $2 * 1e6 / $3, $4, $3 }'; }
for _ in 1 2; do
  build/bench/streams "$url" "$streams" | row C
  lua5.4 bench/streams.lua "$url" "$streams" | row Lua
done
exec 3>&-
wait
