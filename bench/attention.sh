#!/bin/bash
# Time and memory of attention by prompt length: dense, flash and Dual Chunk Attention (Figure 3 of
# An et al. 2024, one layer on the CPU). BENCH_LENGTHS sets the lengths; BENCH_LINES names a file
# for the result lines, which lmplot speed plots.
. "$(dirname "$0")/lib.sh"
threads=${BENCH_THREADS:-$(nproc)}
lines=${BENCH_LINES:-$work/attention.jsonl}
echo "attention, one layer, 4 heads of size 128, $threads threads: milliseconds and MiB, best of 3"
# shellcheck disable=SC2086
OMP_WAIT_POLICY=active "$root/build/bench/bench_attention" "$threads" \
    ${BENCH_LENGTHS:-1024 2048 4096 8192 16384 32768} >"$lines" || exit 1
awk -F'[:,"]+' '{ for (i = 2; i < NF; i += 1) f[$i] = $(i + 1)
        n = f["length"]; a = f["attention"]; if (!(n in seen)) { seen[n] = 1; order[++k] = n }
        t[n, a] = f["seconds"] * 1000; m[n, a] = f["memory_mib"] }
    END { printf "  %8s %20s %20s %20s   %s\n", "tokens", "dense", "flash", "dca", "dca / flash"
        for (i = 1; i <= k; i++) { n = order[i]; printf "  %8d", n
            printf ((n, "dense") in t) ? sprintf(" %10.1f %8.1f ", t[n, "dense"], m[n, "dense"]) : sprintf(" %20s", "-")
            printf " %10.1f %8.1f  %10.1f %8.1f    %.3f\n", t[n, "flash"], m[n, "flash"], t[n, "dca"], m[n, "dca"],
                t[n, "dca"] / t[n, "flash"] } }' "$lines"
