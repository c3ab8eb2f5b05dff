#!/bin/sh
# usage: setup.sh [--check] [PACKAGE...]
# Install what building and testing longmix needs, and the given Debian packages. Does nothing if all of
# it is there: headers and programs are looked for, wherever they come from, and for the given packages
# dpkg is asked. Says what it runs first. --check only says what is missing, and exits with 1.
set -eu
check=
if [ "${1:-}" = --check ]; then check=1; shift; fi

has() { command -v "$1" >/dev/null 2>&1; }
cc=${CC:-gcc} cxx=${CXX:-g++}
includes() { # LANGUAGE COMPILER HEADER...
    language=$1 compiler=$2
    shift 2
    for h; do echo "#include <$h>"; done | $compiler -x "$language" -fsyntax-only ${CPPFLAGS:-} - >/dev/null 2>&1
}

missing=
need() { # PACKAGE COMMAND...: the package is missing if the command fails
    package=$1
    shift
    "$@" || missing="$missing $package"
}
compiler() { has "$cc" && has "$cxx" && has make; }
need build-essential compiler
need pkg-config has pkg-config
need libzstd-dev includes c "$cc" zstd.h
need zlib1g-dev includes c "$cc" zlib.h
need libbz2-dev includes c "$cc" stdio.h bzlib.h
need liblzma-dev includes c "$cc" lzma.h
need libjansson-dev includes c "$cc" jansson.h
need libxxhash-dev includes c "$cc" xxhash.h
need libpcre2-dev includes c "$cc -DPCRE2_CODE_UNIT_WIDTH=8" pcre2.h
need libcairo2-dev includes c "$cc" cairo/cairo.h cairo/cairo-svg.h
need libopenblas-dev includes c "$cc" cblas.h
need libsimdjson-dev includes c++ "$cxx" simdjson.h
need libsentencepiece-dev includes c++ "$cxx" sentencepiece_processor.h
# Programs of the tests and the demo.
need sentencepiece has spm_train
need zstd has zstd
need bzip2 has bzip2
need xz-utils has xz
need libopenmpi-dev has mpicc
need openmpi-bin has mpirun
installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
for p; do need "$p" installed "$p"; done
[ -n "$missing" ] || exit 0

if [ -n "$check" ]; then
    echo "setup: missing (names of Debian packages):$missing" >&2
    exit 1
fi
stop() {
    echo "setup: $1; install the equivalents of these Debian packages:$missing" >&2
    exit 1
}
has apt-get || stop "there is no apt-get"
run=
if [ "$(id -u)" != 0 ]; then
    has sudo || stop "not root, and there is no sudo"
    # Whoever may not use sudo is told so by name, not asked for a password in a log file.
    [ -t 0 ] || sudo -n true 2>/dev/null || stop "not root, and sudo needs a password"
    run=sudo
fi
echo "setup: running:${run:+ $run} apt-get update;${run:+ $run} apt-get install -y --no-install-recommends$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $run apt-get update && $run env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1
then
    tail -n 20 "$log" >&2
    echo "setup: the packages could not be installed; see the output of apt-get above." >&2
    echo "setup: 'make' and 'make check' work once these are installed:$missing" >&2
    exit 1
fi
