#!/bin/bash
# usage: fuzz.sh BUILD TARGET...
# Run libFuzzer targets, as many at once as there are cores, each FUZZ_SECONDS (60) long, from its
# committed corpus; new inputs go to BUILD/corpus/TARGET. An input that fails is left in BUILD, and the
# end of the log is printed.
set -u
cd "$(dirname "$0")/.." || exit 1
export build=${1:?the build folder} seconds=${FUZZ_SECONDS:-60}
shift
# A frame of zstd may ask for a window of 2 GiB, which is reserved and not touched.
one() {
    mkdir -p "$build/corpus/$1"
    if "$build/$1" -max_total_time="$seconds" -max_len=65536 -timeout=20 -malloc_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$build/$1-" "$build/corpus/$1" "tests/fuzz/corpus/$1" >"$build/$1.log" 2>&1; then
        echo "ok    $1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$1.log") inputs"
    else
        echo "FAIL  $1: $(ls "$build/$1"-* 2>/dev/null | head -n 1)"
        tail -n 40 "$build/$1.log" | sed 's/^/      /'
        return 1
    fi
}
export -f one
printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' bash -c 'one {}' || exit 1
