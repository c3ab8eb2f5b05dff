#!/bin/bash
# The trainer's CPU backend: products beside OpenBLAS's own, and steps beside PyTorch's on the same cores,
# where a Python with torch and transformers is (LM_PARITY_PYTHON, or what make parity installed).
. "$(dirname "$0")/lib.sh"
threads=${BENCH_THREADS:-$(nproc)}
python=${LM_PARITY_PYTHON:-$root/build/parity-venv/bin/python}
program=$root/build/bench/bench_train
echo "products, $threads threads: share of the rate of OpenBLAS's own sgemm"
OMP_WAIT_POLICY=active "$program" products "$threads" || exit 1
echo
echo "training steps: 1.1 M weights, 2 rows of 2,048 tokens, $threads threads, best of 6, three turns"
for _ in 1 2 3; do
    "$program" steps "$threads" || exit 1
    if [ -x "$python" ]; then "$python" "$root/bench/train.py" "$threads" 2>/dev/null || exit 1; fi
done
[ -x "$python" ] || echo "  (no Python with torch: make parity installs one)"
