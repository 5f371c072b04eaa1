#!/bin/sh
# install.sh: installs LiteLLM's proxy into build/litellm/venv, once; gateways_run_spec.lua starts it. Not 0, with the
# reason in build/litellm/pip.log, where it cannot be had. packages.txt has every package with its version: LiteLLM's own
# list for the proxy asks for some that are published nowhere, and which it needs for its database alone.
set -eu
cd "$(dirname "$0")/../.."
room=build/litellm
packages=spec/litellm/packages.txt
python=$room/venv/bin/python

cmp -s $packages $room/installed && exit 0
mkdir -p $room

pip_install() { timeout 600 $python -m pip install --no-input --disable-pip-version-check --no-compile --no-deps "$@"; }

# uv, from the same registry, takes a tenth of pip's time for a hundred packages.
uv_install() {
  pip_install uv==0.13.9 &&
    UV_CACHE_DIR=$room/cache timeout 600 $room/venv/bin/uv pip install --python $python --no-deps "$@"
}

{
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'
  python3 -m venv --clear $room/venv
  uv_install -r $packages || pip_install -r $packages
} >$room/pip.log 2>&1
cp $packages $room/installed
