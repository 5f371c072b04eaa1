#!/bin/sh
# Builds Lua 5.5 into build/lua5.5, from the source that a package of Cargo's registry ships, and what lets `make LUA=5.5`
# and busted find it. Needs cargo and, the first time, the network. Debian has no Lua 5.5, and no C modules for it: its
# pure ones for 5.4 will do, and three small ones beside this file.
set -eu
cd "$(dirname "$0")/../.."
room=build/lua5.5
[ -x $room/lua5.5 ] && exit 0
mkdir -p $room/source/src
cat >$room/source/Cargo.toml <<'END'
[package]
name = "source"
version = "0.0.0"
edition = "2021"
[dependencies]
lua-src = "=550.0.0"
END
: >$room/source/src/lib.rs
(cd $room/source && timeout 120 cargo vendor --quiet vendor >vendor.log 2>&1) || {
  tail -n 3 $room/source/vendor.log
  exit 1
}
lua=$PWD/$room/source/vendor/lua-src/lua-5.5.0
# these two assign to the variable of a loop, which 5.5 forbids
mkdir -p $room/modules/pl $room/modules/busted/modules/files
for module in pl/tablex busted/modules/files/moonscript; do
  sed -E 's/^ *(k = cycle_aware_copy|line = )/local \1/' /usr/share/lua/5.4/$module.lua >$room/modules/$module.lua
done
path="$PWD/$room/modules/?.lua;$PWD/spec/lua55/?.lua;/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua;./?.lua;./?/init.lua"
printf 'Name: lua5.5\nDescription: Lua\nVersion: 5.5.0\nCflags: -I%s\n' "$room/source/vendor/lua-src/lua-5.5.0" >$room/lua5.5.pc
gcc -O1 -DLUA_USE_LINUX "-DLUA_PATH_DEFAULT=\"$path\"" "-DLUA_CPATH_DEFAULT=\"./?.so\"" "-I$lua" -Wl,-E \
  -o $room/lua5.5 spec/lua55/host.c "$lua"/*.c -lm -ldl
