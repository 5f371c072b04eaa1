# setup.sh: what the two README commands share; read by a shell from the top of the checkout.
#
# need PACKAGE...   installs those of Debian's packages that are missing (as root, or through sudo); not 0 when some
#                   stay missing. Nothing is asked of the network when nothing is missing, nor without dpkg.
# on_path LUA_DIR   lets a Lua find this checkout's modules and the C module built into LUA_DIR

missing_of() {
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
  done
}

need() {
  command -v dpkg-query >/dev/null || return 0
  missing=$(missing_of "$@" | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  echo "installing: $missing"
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  log=$(mktemp)
  $sudo apt-get update -q >"$log" 2>&1 || true # without network, what was fetched before may do
  # shellcheck disable=SC2086
  if $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing >>"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  tail -n 20 "$log" >&2
  rm -f "$log"
  echo "could not install: $missing" >&2
  return 1
}

on_path() {
  LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;$PWD/?.lua;;"
  LUA_CPATH="$PWD/$1/?.so;;"
  export LUA_PATH LUA_CPATH
}
