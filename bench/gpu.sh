#!/bin/bash
# The CUDA backend on this machine's GPU: training steps of the 7B shape and prompts (Figure 3 of
# An et al. 2024), and PyTorch's step on the same GPU where it is there. BENCH_LENGTHS picks the
# lengths, BENCH_LAYERS fewer layers than 32, BENCH_LINES keeps the lines. Exits 77 without a GPU.
#
# usage: gpu.sh PROGRAM...    what runs bench_gpu: its path, or "bundle/run bench_gpu"
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
