# Functions shared by the benchmark scripts, which source this file. Times are wall-clock seconds of
# whole processes. Pairs alternate (A B A B ...); outputs are compared first; medians and ratios are
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
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
spread() { sort -g | awk '{ v[NR] = $1 } END { printf "%.1f..%.1f", v[1], v[NR] }'; }
rates() { awk -v mb="$1" '{ printf "%.2f\n", mb / $1 }'; } # MB: convert seconds to MB/s
machine() { awk -F': *' '/model name/ { print $2; exit }' /proc/cpuinfo; nproc; free -g | awk '/Mem/ { print $2 " GiB" }'; }
