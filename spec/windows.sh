#!/bin/sh
# Builds the core for Windows with MinGW, with a current libcurl on Schannel and Lua 5.4 from the sources that two
# packages of Cargo's registry ship, and runs spec/windows.lua under Wine against the development gateway here.
# Debian: wine64 gcc-mingw-w64-x86-64-win32 cmake cargo. Ends with 0; with 69 where one of them cannot be had.
set -eu
cd "$(dirname "$0")/.."

LUA_SRC=550.0.0  # has lua-5.4.8
CURL_SYS=0.4.91  # has curl 8.22.0
host=x86_64-w64-mingw32
room=$PWD/build/windows
wine=$(command -v wine64 || echo /usr/lib/wine/wine64)
for program in $host-gcc cmake cargo "$wine"; do
  command -v "$program" >/dev/null 2>&1 || { echo "$program is missing"; exit 69; }
done

mkdir -p "$room/source/src" "$room/run"
cat >"$room/source/Cargo.toml" <<END
[package]
name = "source"
version = "0.0.0"
edition = "2021"
[dependencies]
lua-src = "=$LUA_SRC"
curl-sys = "=$CURL_SYS"
END
: >"$room/source/src/lib.rs"
[ -d "$room/source/vendor" ] || (cd "$room/source" && timeout 120 cargo vendor --quiet vendor >vendor.log 2>&1) || {
  tail -n 3 "$room/source/vendor.log"
  exit 69
}

# The package leaves out what libcurl's own build asks for and this one does not need.
curl=$room/source/vendor/curl-sys/curl
if [ ! -f "$room/curl/lib/libcurl.a" ]; then
  mkdir -p "$curl/docs/examples"
  : >"$curl/docs/CMakeLists.txt"
  : >"$curl/docs/examples/CMakeLists.txt"
  cmake -S "$curl" -B "$room/curl" -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_C_COMPILER=$host-gcc \
    -DCMAKE_RC_COMPILER=$host-windres -DCMAKE_BUILD_TYPE=Release -DHTTP_ONLY=ON -DCURL_USE_SCHANNEL=ON \
    -DBUILD_SHARED_LIBS=OFF -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DBUILD_LIBCURL_DOCS=OFF -DBUILD_MISC_DOCS=OFF \
    -DENABLE_CURL_MANUAL=OFF -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF -DCURL_ZLIB=OFF -DCURL_BROTLI=OFF \
    -DCURL_ZSTD=OFF -DUSE_NGHTTP2=OFF -DUSE_LIBIDN2=OFF >"$room/curl.log" 2>&1 &&
    make -C "$room/curl" "-j$(nproc)" >>"$room/curl.log" 2>&1 || { tail -n 20 "$room/curl.log"; exit 1; }
fi

lua=$room/source/vendor/lua-src/lua-5.4.8
if [ ! -f "$room/run/lua.exe" ]; then
  $host-gcc -O2 -DLUA_BUILD_AS_DLL -shared -o "$room/run/lua54.dll" "-Wl,--out-implib,$room/liblua54.a" "$lua"/*.c
  $host-gcc -O2 -DLUA_BUILD_AS_DLL "-I$lua" -o "$room/run/lua.exe" spec/lua55/host.c "$room/liblua54.a"
fi

make -s OS=Windows_NT OUT="build/windows/run" CC=$host-gcc WERROR=-Werror "LUA_CFLAGS=-I'$lua'" "LUA_LIBS='$room/liblua54.a'" \
  "CURL_CFLAGS=-I'$curl/include' -DCURL_STATICLIB" \
  "CURL_LIBS='$room/curl/lib/libcurl.a' -lws2_32 -lcrypt32 -lsecur32 -lbcrypt -liphlpapi -ladvapi32"

make -s LUA=5.4 # what starts the gateway reads JSON
export WINEPREFIX="$room/wine" WINEDEBUG=-all
export RUN="LUA_PATH='lua/?.lua;lua/?/init.lua' LUA_CPATH='build/windows/run/?.dll' $wine build/windows/run/lua.exe"
LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH="build/5.4/?.so;;" exec lua5.4 -e '
  local gateway = assert(require("llm_gateway.devgateway").start({ api_key = "gw_test", delay = 0 }))
  local well = os.execute(("%s spec/windows.lua %s"):format(os.getenv("RUN"), gateway.url))
  gateway:stop()
  os.exit(well or 1)'
