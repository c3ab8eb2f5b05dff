#!/bin/bash
# usage: coverage.sh BUILD
# Print the line coverage of the tests that a coverage build has run: per module (folder), and in
# all. A line counts once, and as covered if any object that contains it ran it.
set -eu -o pipefail
cd "$(dirname "$0")/.."
build=${1:?the build folder}
[ -n "$(find "$build/obj" -name '*.gcda' -print -quit)" ] || { echo "coverage: no test has run in $build" >&2; exit 1; }
find "$build/obj" -name '*.gcno' ! -path '*/obj/tests/*' ! -path '*/obj/*/tests/*' ! -path '*/obj/bench/*' -print0 |
    LC_ALL=C sort -z | xargs -0 ${GCOV:-gcov} -t 2>/dev/null | LC_ALL=C awk -F: '
    $2 + 0 == 0 && $3 == "Source" { file = $4; wanted = file ~ /^(lib|include|train|eval|figures|tools)\//; next }
    !wanted || $1 ~ /^ *-$/ { next }
    {
        module = file; sub(/\/[^\/]*$/, "", module)
        line = file ":" $2 + 0
        if (!(line in seen)) { seen[line] = 1; lines[module]++; all++ }
        if ($1 !~ /[#=]/ && !(line in ran)) { ran[line] = 1; covered[module]++; total++ }
    }
    END {
        for (m in lines) printf "%-20s %6d of %6d lines %6.1f %%\n", m, covered[m], lines[m], 100 * covered[m] / lines[m] | "sort"
        close("sort")
        printf "%-20s %6d of %6d lines %6.1f %%\n", "all", total, all, all ? 100 * total / all : 0
    }'
