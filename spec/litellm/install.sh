#!/bin/sh
# install.sh: installs LiteLLM's proxy into build/litellm/venv, once; gateways_run_spec.lua starts it. Not 0, with the
# reason in build/litellm/pip.log, where it cannot be had. packages.txt has every package with its version: LiteLLM's own
# list for the proxy asks for some that are published nowhere, and which it needs for its database alone.
set -eu
cd "$(dirname "$0")/../.."
room=build/litellm
packages=spec/litellm/packages.txt

cmp -s $packages $room/installed && exit 0
mkdir -p $room
{
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'
  python3 -m venv --clear $room/venv
  timeout 600 $room/venv/bin/python -m pip install --no-input --disable-pip-version-check --no-compile --no-deps -r $packages
} >$room/pip.log 2>&1
cp $packages $room/installed
