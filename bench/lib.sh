# Shared by the benchmarks: source it. Times are wall seconds of whole processes; pairs run in
# turn (A B A B ...), medians and ratios are printed, outputs were compared before.
set -u
export LC_ALL=C
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=$root/build/bin
work=${BENCH_DIR:-$root/build/bench-data}
runs=${BENCH_RUNS:-5}
cpu=${BENCH_CPU:-0}   # one-core runs are pinned here
mkdir -p "$work"

seconds() { # command...: its wall time; its output goes to the log
    local start=$EPOCHREALTIME
    "$@" >>"$work/log" 2>&1 || { echo "bench: failed: $*" >&2; tail -n 5 "$work/log" >&2; exit 1; }
    awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", b - a }'
}
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
spread() { sort -g | awk '{ v[NR] = $1 } END { printf "%.1f..%.1f", v[1], v[NR] }'; }
rates() { awk -v mb="$1" '{ printf "%.2f\n", mb / $1 }'; } # seconds in, MB/s out
machine() { awk -F': *' '/model name/ { print $2; exit }' /proc/cpuinfo; nproc; free -g | awk '/Mem/ { print $2 " GiB" }'; }
