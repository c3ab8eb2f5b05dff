#!/bin/bash
# Reading with a model on the CPU: prefill and decoding at 2K and 8K tokens, compared with
# transformers in float32 (SDPA) on as many threads, if a Python with torch and transformers is
# available (LM_PARITY_PYTHON, or the virtual environment that make parity creates). Runs alternate;
# logits are compared first. BENCH_READ_MODEL is a Hugging Face directory of a LLaMA; without it a
# random model of 135M weights is made, as speed does not depend on their values.
. "$(dirname "$0")/lib.sh"
threads=${BENCH_THREADS:-$(nproc)}
rounds=${BENCH_READ_ROUNDS:-3}
steps=${BENCH_READ_STEPS:-32}
python=${LM_PARITY_PYTHON:-$root/build/parity-venv/bin/python}
program=$root/build/bench/bench_read
model=${BENCH_READ_MODEL:-$work/read-model}
peer=yes
if ! "$python" -c 'import torch, transformers' 2>/dev/null; then
    echo "read: no comparison: no Python with torch and transformers (run make parity, or set LM_PARITY_PYTHON)"
    peer=
fi
if [ ! -f "$model/config.json" ]; then
    [ -z "${BENCH_READ_MODEL:-}" ] || { echo "read: skipped: no model in $model"; exit 0; }
    rm -rf "$model.tmp" && "$program" --init "$model.tmp" && mv "$model.tmp" "$model" || exit 1
fi
read_out=$work/read
mkdir -p "$read_out"
echo "reading, $model, $threads threads: tokens per second, median and range of $rounds rounds"
for n in ${BENCH_LENGTHS:-2048 8192}; do
    rm -f "$read_out"/*.tsv
    for round in $(seq "$rounds"); do
        "$program" "$model" "$threads" model "$n" "$steps" "$read_out/ours" >>"$read_out/model.tsv" || exit 1
        "$program" "$model" "$threads" float32 "$n" "$steps" >>"$read_out/float32.tsv" || exit 1
        [ -n "$peer" ] || continue
        "$python" "$root/bench/read.py" "$model" "$threads" "$n" "$steps" "$read_out/theirs" \
            >>"$read_out/transformers.tsv" 2>>"$work/log" || { tail -n 5 "$work/log" >&2; exit 1; }
        [ "$round" != 1 ] || { printf '  %6d tokens: ' "$n"; "$python" "$root/bench/read.py" --compare \
            "$read_out/ours" "$read_out/theirs" || exit 1; }
    done
    for what in 1 2; do
        name=prefill; [ $what = 1 ] || name=decoding
        for who in model float32 transformers; do
            [ -f "$read_out/$who.tsv" ] || continue
            cut -d ' ' -f $what "$read_out/$who.tsv" >"$read_out/rates"
            rate=$(median <"$read_out/rates")
            [ $who != model ] || ours=$rate
            label="longmix"
            [ $who != float32 ] || label="longmix --weights float32"
            [ $who != transformers ] || label="transformers"
            printf '  %-8s %6d  %-26s %8.1f (%s)  longmix is %.2f of it\n' $name "$n" "$label" "$rate" \
                "$(spread <"$read_out/rates")" "$(awk -v a="$ours" -v b="$rate" 'BEGIN { print a / b }')"
        done
    done
done
