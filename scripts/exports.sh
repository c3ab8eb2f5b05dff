#!/bin/sh
# usage: exports.sh OBJECT...
# Print the public symbols of the library, one per line: those that the objects define and a header
# in include/longmix/ declares. CC is the compiler, CPPFLAGS finds the headers.
set -eu
cd "$(dirname "$0")/.."
public=$(mktemp)
trap 'rm -f "$public"' EXIT
for h in include/longmix/*.h; do printf '#include "%s"\n' "${h#include/}"; done |
    ${CC:-cc} -Iinclude -E -P -x c - | grep -o '\<lm_[a-z0-9_]*' | LC_ALL=C sort -u >"$public"
nm -g --defined-only "$@" | awk 'NF == 3 { print $3 }' | LC_ALL=C sort -u | LC_ALL=C comm -12 - "$public"
