#!/bin/sh
# See to a browser for the page's tests: one that is there, else Debian's, if we may install it.
# Exit code 1: there is none. The page's tests are then skipped, and say so.
set -eu

for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done

sudo=
if [ "$(id -u)" -ne 0 ]; then sudo="sudo -n"; fi
if command -v apt-get >/dev/null 2>&1 && { [ -z "$sudo" ] || $sudo true 2>/dev/null; }; then
    echo "setup: no browser found; installing Debian's chromium for the page's tests (about 100 MB)" >&2
    if $sudo env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium' </dev/null >/dev/null 2>&1; then
        exit 0
    fi
fi
echo "setup: no browser, and none could be installed: the page's tests will be skipped (install chromium to run them)" >&2
exit 1
