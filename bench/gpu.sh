#!/bin/bash
# Benchmark of the CUDA backend: training steps of a 7B model, prompt processing (Figure 3 of An et
# al. 2024), and the same step in PyTorch, if it is installed. BENCH_LENGTHS sets the lengths,
# BENCH_LAYERS the number of layers (32), BENCH_LINES a file to append the result lines to. Exits
# with 77 if there is no GPU.
#
# usage: gpu.sh PROGRAM...    the command that runs bench_gpu: its path, or "bundle/run bench_gpu"
set -u
here=$(cd "$(dirname "$0")" && pwd)
lines=${BENCH_LINES:-/dev/null}
layers=${BENCH_LAYERS:-32}
bench() { # arguments of bench_gpu
    "${program[@]}" "$@" | tee -a "$lines"
    local status=${PIPESTATUS[0]}
    [ "$status" != 77 ] || exit 77
}
program=("$@")
for n in ${BENCH_LENGTHS:-4096 32768 81920 131072}; do
    bench train "$n" "$layers"
    bench train "$n" keep "$layers"
    bench read "$n" rope "$layers"
    bench read "$n" dca "$layers"
    python3 "$here/gpu_peer.py" "$n" "$layers" | tee -a "$lines"
done
