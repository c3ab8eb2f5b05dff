#!/bin/bash
# Run the tests of a build and end with "N passed, N failed, N skipped".
#
#   tests/run.sh [-j N] [-v] [--tap] [BUILD [WORD...]]
#
#   BUILD   the folder that was built (build)
#   WORD    only tests whose name contains one of them
#   -j N    run N tests at once (all cores); results are printed in the same order
#   -v      a line for each test, with its time; otherwise only for those that fail, are skipped or are slow
#   --tap   Test Anything Protocol, version 13
#
#   unit    programs tests/unit/test_*.c
#   fuzz    each target over its corpus, tests/fuzz/corpus/NAME/
#   cli     tests/cli/AREA/NAME.sh in an empty folder; standard output must equal NAME.out where
#           that file is; the exit status must be that of a line "# exit: N" (0 without one)
#   others  tests/NAME.sh: checks of the sources
#
# Exit status 77 is "skipped"; the last line of the log says why. A test with a line "# serial: WHY" (or
# "/* serial: WHY" in C) runs after the others, alone. LM_TEST_UPDATE=1 rewrites the .out files.
# Real data is read from LM_DATA (../shared/data if that is not set); an empty LM_DATA disables it.
set -u -m # job control: each test is a process group that can be killed, and SIGINT is not ignored
usage() { sed -n 's/^#   \(tests.*\)/usage: \1/p' "$0" >&2; exit 2; }
cd "$(dirname "$0")/.." || exit 1
jobs=$(nproc 2>/dev/null || echo 2) verbose= tap= words=()
while [ $# -gt 0 ]; do
    case $1 in
        -j) [ $# -gt 1 ] || usage; jobs=$2; shift ;;
        -j*) jobs=${1#-j} ;;
        -v) verbose=1 ;;
        --tap) tap=1 ;;
        --) shift; words+=("$@"); break ;;
        -*) usage ;;
        *) words+=("$1") ;;
    esac
    shift
done
[[ $jobs =~ ^[1-9][0-9]{0,3}$ ]] || usage
build=${words[0]:-build} picks=("${words[@]:1}")
case $build in /*) ;; *) build=$PWD/$build ;; esac
slow=5 # seconds
export LM_SRC=$PWD LM_BUILD=$build PATH="$build/bin:$PATH" LC_ALL=C
[ -n "${LM_DATA+set}" ] || LM_DATA=$(cd ../shared/data 2>/dev/null && pwd) || LM_DATA=
export LM_DATA
export OMP_WAIT_POLICY=passive # waiting threads do not spin: the cores are shared
export ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=halt_on_error=1 UBSAN_OPTIONS=print_stacktrace=1

# ---- the list ----------------------------------------------------------------------------------

names=() files=() serial_names=() serial_files=()
add() { # NAME FILE [SOURCE]
    local pick picked=
    for pick in "${picks[@]-}"; do [[ $1 != *$pick* ]] || picked=1; done
    [ -n "$picked" ] || return 0
    if grep -Eqs '^(#|//|/\*) serial: ' "${3:-$2}"; then serial_names+=("$1") serial_files+=("$2")
    else names+=("$1") files+=("$2"); fi
}
for t in "$build"/tests/test_*; do [ ! -e "tests/unit/${t##*/}.c" ] || add "unit/${t##*/}" "$t" "tests/unit/${t##*/}.c"; done
for t in "$build"/tests/fuzz_*; do [ ! -e "tests/fuzz/${t##*/}.c" ] || add "fuzz/${t##*/}" "$t" "tests/fuzz/${t##*/}.c"; done
for t in tests/cli/*/*.sh; do name=${t#tests/}; add "${name%.sh}" "$t"; done
for t in tests/*.sh; do [ "$t" = tests/run.sh ] || add "$(basename "$t" .sh)" "$t"; done
parallel=${#names[@]}
names+=(${serial_names[@]+"${serial_names[@]}"}) files+=(${serial_files[@]+"${serial_files[@]}"})
total=${#names[@]}

# ---- one test ----------------------------------------------------------------------------------

work=$(mktemp -d) || exit 1
# LD_PRELOAD, make and pkg-config split at spaces. The programs see the user's TMPDIR.
case $work in *[[:space:]]*) rmdir "$work"; work=$(TMPDIR=/tmp mktemp -d) || exit 1 ;; esac

limited() { # COMMAND: with a time limit, in a process group whose number is in $dir/group
    timeout -k 5 600 "$@" </dev/null &
    echo $! >"$dir/group"
    wait $!
}

cli() { # FILE, with its log on standard error
    local t=$1 status=0 want
    want=$(sed -n 's/^# exit: //p' "$t" | head -n 1)
    mkdir "$dir/d"
    (cd "$dir/d" && limited bash -eu -o pipefail "$LM_SRC/$t" >"$dir/out") || status=$?
    if [ $status = "${want:-0}" ]; then
        [ -f "${t%.sh}.out" ] || return 0
        [ -z "${LM_TEST_UPDATE:-}" ] || cp "$dir/out" "${t%.sh}.out"
        diff -u "${t%.sh}.out" "$dir/out" >&2
        return
    fi
    if [ $status = 77 ]; then
        [ -s "$dir/log" ] || tail -n 1 "$dir/out" >&2
        return 77
    fi
    tail -n 5 "$dir/out" >&2
    echo "exit status $status, expected ${want:-0}" >&2
    [ $status != 0 ] || return 1
    return $status
}

run() { # NUMBER: leaves its log and, at the end, "STATUS SECONDS" in a file
    local name=${names[$1]} t=${files[$1]} dir=$work/$1 began=$EPOCHREALTIME status=0 corpus
    mkdir "$dir"
    case $name in
        unit/*) mkdir "$dir/d" && (cd "$dir/d" && limited "$t") ;;
        fuzz/*)
            corpus=tests/fuzz/corpus/${t##*/}
            if [ -d "$corpus" ]; then limited "$t" "$corpus"/*; else echo "no corpus: $corpus"; false; fi ;;
        cli/*) cli "$t" ;;
        *) limited bash "$t" ;;
    esac >"$dir/log" 2>&1 || status=$?
    chmod -R u+w "$dir/d" 2>/dev/null
    rm -rf "$dir/d"
    echo "$status $(((${EPOCHREALTIME/./} - ${began/./}) / 1000))" >"$dir/end.tmp"
    mv "$dir/end.tmp" "$dir/end"
}

# Kill running tests with all their processes, and remove temporary files.
stop() {
    local g
    trap '' INT TERM HUP
    for signal in TERM KILL; do
        for g in "$work"/*/group; do
            [ ! -s "$g" ] || [ -e "${g%group}end" ] || kill -$signal -- -"$(cat "$g")" 2>/dev/null
        done
        [ $signal = KILL ] || sleep 0.3
    done
    exit "$1"
}
cleanup() { chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"; }
trap cleanup EXIT
trap 'stop 130' INT
trap 'stop 143' TERM HUP

# ---- results -----------------------------------------------------------------------------------

passed=0 failed=0 skipped=0 shown=0
report() { # NUMBER
    local name=${names[$1]} log=$work/$1/log status ms time
    read -r status ms <"$work/$1/end"
    time=$((ms / 1000)).$((ms / 100 % 10))
    local lines
    lines=$(tail -n 25 "$log")
    case $status in
        0) passed=$((passed + 1)) ;;
        77) skipped=$((skipped + 1)) ;;
        *) failed=$((failed + 1)) ;;
    esac
    if [ -n "$tap" ]; then
        case $status in
            0) echo "ok $(($1 + 1)) - $name # $time s" ;;
            77) echo "ok $(($1 + 1)) - $name # SKIP ${lines##*$'\n'}" ;;
            *) echo "not ok $(($1 + 1)) - $name # exit $status, $time s"; sed 's/^/# /' <<<"$lines" ;;
        esac
    else
        case $status in
            0) if [ -n "$verbose" ]; then echo "ok    $name ($time s)"
               elif [ "$ms" -ge $((slow * 1000)) ]; then echo "slow  $name ($time s)"; fi ;;
            77) echo "SKIP  $name: ${lines##*$'\n'}" ;;
            *) echo "FAIL  $name (exit $status${verbose:+, $time s})"; sed 's/^/      /' <<<"$lines" ;;
        esac
    fi
    rm -rf "${work:?}/$1"
}
show() { while [ $shown -lt $total ] && [ -e "$work/$shown/end" ]; do report $shown; shown=$((shown + 1)); done; }

if [ -n "$tap" ]; then echo "TAP version 13"; echo "1..$total"; fi
[ -n "$LM_DATA" ] || echo "${tap:+# }note: no ../shared/data; tests on real data are skipped"

running=0
finish() { # until at most $1 run
    while [ $running -gt "$1" ]; do wait -n; running=$((running - 1)); show; done
}
for ((i = 0; i < total; i++)); do
    if [ $i -ge $parallel ]; then finish 0; else finish $((jobs - 1)); fi
    run $i &
    running=$((running + 1))
done
finish 0

echo "${tap:+# }$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
