#!/bin/bash
# Benchmark of the CPU backend: matrix products compared with OpenBLAS, and training steps compared
# with PyTorch on the same cores, if a Python with torch and transformers is available
# (LM_PARITY_PYTHON, or the virtual environment that make parity creates).
. "$(dirname "$0")/lib.sh"
threads=${BENCH_THREADS:-$(nproc)}
python=${LM_PARITY_PYTHON:-$root/build/parity-venv/bin/python}
program=$root/build/bench/bench_train
echo "matrix products, $threads threads: rate relative to OpenBLAS sgemm"
OMP_WAIT_POLICY=active "$program" products "$threads" || exit 1
echo
echo "training steps: 1.2 M parameters, 2 rows of 2,048 tokens, $threads threads, best of 6, three rounds"
for _ in 1 2 3; do
    "$program" steps "$threads" || exit 1
    if [ -x "$python" ]; then "$python" "$root/bench/train.py" "$threads" 2>/dev/null || exit 1; fi
done
[ -x "$python" ] || echo "  (no Python with torch: run make parity to install one)"
