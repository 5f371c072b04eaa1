# setup.sh: what the two README commands share; read by a shell from the top of the checkout.
#
# need PACKAGE...   installs those of Debian's packages that are missing (as root, or through sudo)
# on_path LUA_DIR   lets a Lua find this checkout's modules and the C module built into LUA_DIR

need() {
  missing=
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  echo "installing:$missing"
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  log=$(mktemp)
  # shellcheck disable=SC2086
  if $sudo apt-get update -q >"$log" 2>&1 && $sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qy --no-install-recommends $missing >>"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  tail -n 20 "$log" >&2
  echo "could not install:$missing" >&2
  return 1
}

on_path() {
  LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;$PWD/?.lua;;"
  LUA_CPATH="$PWD/$1/?.so;;"
  export LUA_PATH LUA_CPATH
}
