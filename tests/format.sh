#!/bin/bash
# The tree is formatted as .clang-format says (`make format`). Exits 1 and shows the first differences.
set -eu
cd "$(dirname "$0")/.."
for clang_format in clang-format-14 clang-format; do
    "$clang_format" --version 2>/dev/null | grep -q 'version 14\.' && break
    clang_format=
done
[ -n "$clang_format" ] || { echo "skipped: clang-format 14 is absent"; exit 77; }
find include lib train eval figures tools tests bench examples -type f \
    \( -name '*.[ch]' -o -name '*.cc' -o -name '*.cu' -o -name '*.cuh' \) -print0 |
    LC_ALL=C sort -z | xargs -0 "$clang_format" --dry-run --Werror
