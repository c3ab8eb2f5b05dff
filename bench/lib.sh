# Functions shared by the benchmark scripts, which source this file. Times are seconds of whole
# processes, by the clock or of the processor. Pairs alternate (A B A B ...); outputs are compared first; medians and ratios are
# printed.
set -u
export LC_ALL=C
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=$root/build/bin
work=${BENCH_DIR:-$root/build/bench-data}
runs=${BENCH_RUNS:-5}
cpu=${BENCH_CPU:-0}   # single-core runs are pinned to this CPU
mkdir -p "$work"

seconds() { # command...: print its wall time; its output goes to the log
    local start=$EPOCHREALTIME
    "$@" >>"$work/log" 2>&1 || { echo "bench: failed: $*" >&2; tail -n 5 "$work/log" >&2; exit 1; }
    awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", b - a }'
}
cpu_seconds() { # command...: print its processor time, that of the programs it starts included
    local TIMEFORMAT='%U %S' t
    t=$({ time "$@" >>"$work/log" 2>&1; } 2>&1) || { echo "bench: failed: $*" >&2; tail -n 5 "$work/log" >&2; exit 1; }
    awk '{ printf "%.3f\n", $1 + $2 }' <<<"$t"
}
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
spread() { sort -g | awk -v d="${1:-1}" '{ v[NR] = $1 } END { printf "%.*f..%.*f", d, v[1], d, v[NR] }'; } # digits
rates() { awk -v mb="$1" '{ printf "%.2f\n", mb / $1 }'; } # MB: convert seconds to MB/s
machine() { awk -F': *' '/model name/ { print $2; exit }' /proc/cpuinfo; nproc; free -g | awk '/Mem/ { print $2 " GiB" }'; }
ratios() { paste "$1" "$2" | awk '{ printf "%.3f\n", $1 / $2 }'; } # two files: of each pair
