#!/bin/sh
# Make .venv and install exactly requirements.lock into it. Run from the repository's root.
set -eu

# A Python of our version or newer: `python3` first, then the names that distributions give to newer ones.
for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi
    python=
done
if [ -z "$python" ]; then
    echo "setup: no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3" >&2
    exit 1
fi

# An environment whose Python is gone (a copied folder, an upgraded system) cannot be mended, only made anew.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        echo "setup: $python cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2
        exit 1
    fi
fi

echo "setup: installing the locked Python packages (about half a minute the first time)" >&2
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
