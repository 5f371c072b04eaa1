# tools.sh: builds what the programs of bench/ need into build/bench; read by a shell from the top of the checkout.
# Leans on .ci/setup.sh for Debian's packages.
#
# build_tools NAME...   server: the load server
#                       bare: the bare libcurl binding, for Lua 5.4 and LuaJIT (where it is installed)
#                       limits: the C programs
#                       certificate: one for 127.0.0.1, in tls/
#                       node, python: the peers, from npm and PyPI; says "pending" of one that cannot be installed

TOOL_FLAGS="-std=c11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wundef -Werror -O2"
NODE_PEERS="openai@6.49.0 eventsource-parser@3.1.1"
PYTHON_PEERS="openai==3.57.0"

# Whether a tool has to be built: the tool, its sources...
is_stale() {
  tool=$1
  shift
  [ ! -e "$tool" ] || [ -n "$(find "$@" -newer "$tool" -print -quit)" ]
}

# The tool, then its sources and libraries; a header of either folder makes it stale.
build_c() {
  tool=$1
  shift
  is_stale "$tool" bench/programs bench/server src || return 0
  ${CC:-gcc} $TOOL_FLAGS -o "$tool" "$@"
}

build_server() { build_c build/bench/server bench/server/*.c $(pkg-config --cflags --libs openssl); }

build_limits() {
  curl=$(pkg-config --cflags --libs libcurl) programs=bench/programs
  build_c build/bench/limits $programs/limits.c $programs/measure.c $curl
  build_c build/bench/limits-streams $programs/limits_streams.c $programs/measure.c $curl
  build_c build/bench/limits-sse $programs/limits_sse.c $programs/measure.c src/sse*.c src/buffer.c src/mem.c
  build_c build/bench/spawn $programs/spawn.c $programs/measure.c
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

build_certificate() {
  [ ! -e build/bench/tls/cert.pem ] || return 0
  mkdir -p build/bench/tls
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=bench \
    -addext subjectAltName=IP:127.0.0.1 -keyout build/bench/tls/key.pem -out build/bench/tls/cert.pem 2>/dev/null
}

# Tries to install a peer: its name, the file that shows that it is installed, a command. Returns 0 all the same.
install_peer() {
  mkdir -p build/bench/peers
  [ -e "build/bench/peers/$2" ] || timeout 180 sh -c "$3" >build/bench/peers/install.log 2>&1 || {
    tail -n 3 build/bench/peers/install.log >&2
    echo "pending: $1 cannot be installed" >&2
  }
}

build_node() {
  install_peer "OpenAI's SDK for node" node_modules/openai/package.json \
    "cd build/bench/peers && echo '{\"private\":true}' >package.json && npm install --no-audit --no-fund $NODE_PEERS"
}

build_python() {
  install_peer "OpenAI's SDK for Python" python/done "python3 -m venv build/bench/peers/python &&
    build/bench/peers/python/bin/pip install -q $PYTHON_PEERS && touch build/bench/peers/python/done"
}

build_tools() {
  mkdir -p build/bench
  for tool in "$@"; do "build_$tool"; done
}
