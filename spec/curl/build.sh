#!/bin/sh
# Builds another libcurl than Debian's (HTTP alone), from the source that a package of Cargo's registry ships, and runs
# a command with it: 8.22, a current one, or 7.81, the oldest that is supported. It stays in build/curl-VERSION. Needs
# cargo, cmake, the headers of OpenSSL, zlib and nghttp2 and, the first time, the network; what is missing is named, and
# the script ends with 69.
#
#   sh spec/curl/build.sh 8.22                             builds, unless that was done
#   sh spec/curl/build.sh 7.81 make spec LUA=5.4 SPEC=...  the same, then `make` for a C module that is bound to it
set -eu
cd "$(dirname "$0")/../.."
version=${1:?which version: 8.22 or 7.81}
shift
room=$PWD/build/curl-$version

case $version in
  8.22) package="=0.4.91" options="-DCURL_DISABLE_WEBSOCKETS=ON -DCURL_DISABLE_ALTSVC=ON -DCURL_DISABLE_HSTS=ON
    -DCURL_DISABLE_DOH=ON -DCURL_ZSTD=OFF -DUSE_LIBIDN2=OFF -DCURL_USE_LIBPSL=OFF" ;;
  7.81) package="=0.4.52" options="-DUSE_NGHTTP2=ON -DBUILD_SHARED_LIBS=ON" ;;
  *) echo "no package is known to ship libcurl $version" >&2 && exit 2 ;;
esac

pends() {
  echo "libcurl $version pends: $1"
  exit 69
}

fetch() {
  mkdir -p "$room/source/src"
  cat >"$room/source/Cargo.toml" <<CARGO
[package]
name = "source"
version = "0.0.0"
edition = "2021"
[dependencies]
curl-sys = "$package"
CARGO
  : >"$room/source/src/lib.rs"
  (cd "$room/source" && timeout 120 cargo vendor --quiet vendor >vendor.log 2>&1) && return
  tail -n 3 "$room/source/vendor.log"
  pends "its source could not be had"
}

# What no call of this library asks for stays out, to save time. With Perl, CMake wants the docs, which the package
# leaves out.
configure() {
  cmake -S "$room/source/vendor/curl-sys/curl" -B "$room/cmake" -Wno-dev -DCMAKE_INSTALL_PREFIX="$room" \
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="-O1 -w" -DPICKY_COMPILER=OFF \
    -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DBUILD_EXAMPLES=OFF -DBUILD_LIBCURL_DOCS=OFF -DBUILD_MISC_DOCS=OFF \
    -DCMAKE_DISABLE_FIND_PACKAGE_Perl=ON -DENABLE_CURL_MANUAL=OFF -DENABLE_MANUAL=OFF -DHTTP_ONLY=ON \
    -DCURL_USE_OPENSSL=ON -DCURL_ZLIB=ON -DCURL_USE_LIBSSH2=OFF $options
}

build() {
  command -v cargo >/dev/null || pends "cargo is not installed"
  command -v cmake >/dev/null || pends "cmake is not installed"
  pkg-config --exists openssl zlib libnghttp2 || pends "the headers of OpenSSL, zlib or nghttp2 are not installed"
  fetch
  {
    configure && cmake --build "$room/cmake" --parallel 2 && cmake --install "$room/cmake"
  } >"$room/build.log" 2>&1 && return
  tail -n 20 "$room/build.log"
  exit 1
}

[ -e "$room/lib/libcurl.so" ] || build
[ $# = 0 ] && exit
exec "$@" SUFFIX="-curl-$version" CURL_CFLAGS="-I'$room/include'" \
  CURL_LIBS="-L'$room/lib' -lcurl -Wl,-rpath,'$room/lib'"
