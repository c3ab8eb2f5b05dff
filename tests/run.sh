#!/bin/bash
# Run every test of the build in $1 (default: build) and end with "N passed, N failed, N skipped".
#   unit    programs tests/unit/test_*.c
#   fuzz    each target over its corpus, tests/fuzz/corpus/NAME/
#   cli     tests/cli/AREA/NAME.sh in an empty folder; standard output must equal NAME.out where
#           that file is; the exit status must be that of a line "# exit: N" (0 without one)
#   includes, man  tests/*.sh: the include rule, man pages
# Exit status 77 is "skipped". A word as $2 picks tests whose name contains it.
# LM_TEST_UPDATE=1 writes the .out files anew.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$PWD/${1:-build}
pick=${2:-}
export LM_SRC=$PWD LM_BUILD=$build PATH="$build/bin:$PATH" LC_ALL=C
[ -n "${LM_DATA:-}" ] || LM_DATA=$(cd ../shared/data 2>/dev/null && pwd) || LM_DATA=
export LM_DATA
export OMP_WAIT_POLICY=passive # threads that wait do not spin: the cores may be shared
export ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS=halt_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
passed=0 failed=0 skipped=0
log=$(mktemp) work=$(mktemp -d)
trap 'rm -rf "$log" "$work"' EXIT
trap 'exit 130' INT

report() { # name, status
    case $2 in
        0) passed=$((passed + 1)) ;;
        77) skipped=$((skipped + 1)); echo "SKIP  $1: $(tail -n 1 "$log")" ;;
        *) failed=$((failed + 1)); echo "FAIL  $1 (exit $2)"; tail -n 25 "$log" | sed 's/^/      /' ;;
    esac
}

[ -n "$LM_DATA" ] || echo "note: no ../shared/data; tests on real data are skipped"

for t in "$build"/tests/test_*; do
    [ -x "$t" ] || continue
    name=unit/$(basename "$t")
    [[ $name == *$pick* ]] || continue
    mkdir "$work/d" && (cd "$work/d" && timeout 600 "$t" >"$log" 2>&1)
    report "$name" $?
    rm -rf "$work/d"
done

for t in "$build"/tests/fuzz_*; do
    [ -x "$t" ] || continue
    name=fuzz/$(basename "$t")
    [[ $name == *$pick* ]] || continue
    corpus=tests/fuzz/corpus/$(basename "$t")
    if [ -d "$corpus" ]; then
        timeout 600 "$t" "$corpus"/* >"$log" 2>&1
        report "$name" $?
    else
        echo "no corpus: $corpus" >"$log"; report "$name" 1
    fi
done

for t in tests/cli/*/*.sh; do
    [ -e "$t" ] || continue
    name=${t#tests/}; name=${name%.sh}
    [[ $name == *$pick* ]] || continue
    want=$(sed -n 's/^# exit: //p' "$t" | head -n 1)
    mkdir "$work/d"
    (cd "$work/d" && timeout 600 bash -eu -o pipefail "$LM_SRC/$t" >"$work/out" 2>"$log" </dev/null)
    status=$?
    if [ $status = "${want:-0}" ]; then
        status=0
        if [ -f "${t%.sh}.out" ]; then
            [ -z "${LM_TEST_UPDATE:-}" ] || cp "$work/out" "${t%.sh}.out"
            diff -u "${t%.sh}.out" "$work/out" >>"$log" || status=1
        fi
    elif [ $status != 77 ]; then
        tail -n 5 "$work/out" >>"$log"
        echo "exit status $status, expected ${want:-0}" >>"$log"
        [ $status != 0 ] || status=1
    fi
    report "$name" $status
    chmod -R u+w "$work/d" 2>/dev/null; rm -rf "$work/d"
done

for t in tests/format.sh tests/includes.sh tests/man.sh; do
    [[ $t == *$pick* ]] || continue
    bash "$t" >"$log" 2>&1
    status=$?
    report "$(basename "$t" .sh)" $status
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
