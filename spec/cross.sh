#!/bin/sh
# Compiles all of src/ for systems that are not at hand, with zig cc (PyPI: ziglang), which brings their headers: a file
# that asks for what another system does not have is seen here. Nothing is linked or run.
# Windows is the one for ARM: with the headers of x86-64's vector instructions a file takes three times as long, and
# spec/windows.sh builds and runs that one.
# Ends with 0; with 69 where zig cannot be had.
set -eu
cd "$(dirname "$0")/.."

ZIG_VERSION=0.17.1
TARGETS="x86_64-linux-musl aarch64-macos x86_64-freebsd x86_64-netbsd x86_64-openbsd aarch64-windows-gnu"

room=build/cross
zig() { "$room"/zig/lib/python3*/site-packages/ziglang/zig "$@"; } # itself: Python in front of it doubles the time
if ! zig version >/dev/null 2>&1; then
  rm -rf "$room/zig"
  python3 -m venv "$room/zig" >/dev/null 2>&1 &&
    "$room/zig/bin/python" -m pip install -q --disable-pip-version-check "ziglang==$ZIG_VERSION" >/dev/null 2>&1 ||
    { echo "zig cannot be had: python3-venv or its registry is missing"; exit 69; }
fi

# libcurl's and Lua's headers are the same everywhere.
mkdir -p "$room/include"
cp -r "$(pkg-config --variable=includedir libcurl | sed 's,$,/curl,')" "$room/include/" 2>/dev/null ||
  cp -r /usr/include/*/curl "$room/include/"
cp /usr/include/lua5.4/*.h /usr/include/*/lua5.4-deb-multiarch.h "$room/include/"

# All files at once: a process of zig for each would take four times as long. -lc asks for the system's headers.
export ZIG_GLOBAL_CACHE_DIR=$room/cache ZIG_LOCAL_CACHE_DIR=$room/cache
for target in $TARGETS; do
  echo "$target"
  zig build-lib -target "$target" -lc "-I$room/include" "-femit-bin=$room/$target.a" \
    -cflags -std=c11 -Wall -Wextra -Wshadow -Wundef -Werror -fno-sanitize=undefined \
    -Wno-unused-command-line-argument -- src/*.c
done
