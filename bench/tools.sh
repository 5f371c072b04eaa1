# tools.sh: builds what the programs of bench/ need into build/bench; read by a shell from the top of the checkout.
# Leans on .ci/setup.sh for Debian's packages.
#
# build_tools NAME...   server: the load server; bare: the bare libcurl binding, for Lua 5.4 and LuaJIT (where it is
#                       installed)

TOOL_FLAGS="-std=c11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wundef -Werror -O2"

# Whether a tool has to be built: the tool, its sources...
is_stale() {
  tool=$1
  shift
  [ ! -e "$tool" ] || [ -n "$(find "$@" -newer "$tool" -print -quit)" ]
}

build_server() {
  is_stale build/bench/server bench/server || return 0
  ${CC:-gcc} $TOOL_FLAGS -o build/bench/server bench/server/*.c $(pkg-config --cflags --libs openssl)
}

build_bare() {
  for lua in lua5.4:5.4 luajit:jit; do
    folder=build/bench/${lua#*:} name=${lua%:*}
    pkg-config --exists "$name" || continue
    is_stale "$folder/bare.so" bench/programs/bare.c || continue
    mkdir -p "$folder"
    ${CC:-gcc} $TOOL_FLAGS -fPIC -shared -o "$folder/bare.so" bench/programs/bare.c \
      $(pkg-config --cflags "$name" libcurl) $(pkg-config --libs libcurl)
  done
}

build_tools() {
  mkdir -p build/bench
  for tool in "$@"; do "build_$tool"; done
}
