#!/bin/sh
# usage: setup.sh [PACKAGE...]
# Install the packages that building and testing longmix needs, and the given ones. Prints what it
# installs first; does nothing if all are installed.
set -eu
packages="build-essential pkg-config libzstd-dev zlib1g-dev libbz2-dev liblzma-dev libjansson-dev
libsimdjson-dev libsentencepiece-dev sentencepiece libxxhash-dev libcairo2-dev libopenblas-dev zstd
bzip2 xz-utils libopenmpi-dev openmpi-bin"

if ! command -v dpkg-query >/dev/null; then
    echo "setup: not a Debian system; install the equivalents of these packages:" $packages "$@" >&2
    exit 0
fi
missing=
for p in $packages "$@"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

run=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: not root and sudo is not available; ask an administrator to run: apt-get install$missing" >&2
        exit 1
    fi
    run=sudo
fi
echo "setup: running:${run:+ $run} apt-get update;${run:+ $run} apt-get install -y --no-install-recommends$missing" >&2
log=$(mktemp)
if ! { $run apt-get update && $run env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1
then
    tail -n 20 "$log" >&2
    echo "setup: the packages could not be installed; see the output of apt-get above." >&2
    echo "setup: 'make' and 'make check' work once these are installed:$missing" >&2
    rm -f "$log"
    exit 1
fi
rm -f "$log"
