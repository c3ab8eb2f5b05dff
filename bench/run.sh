#!/bin/bash
# make bench: throughput of the programs on a synthetic corpus (BENCH_BYTES of text, default 1G)
# and, if the test data is available, on the sample corpus; then other tokenizers for comparison
# (bench/peers.sh). The tokenizer is BENCH_MODEL, that of LLaMA 2 in the test data, or else the small
# one of tests/data. Single-core runs are pinned to CPU $BENCH_CPU. Only peers.sh needs network
# access.
. "$(dirname "$0")/lib.sh"
bytes=${BENCH_BYTES:-1G}
model=${BENCH_MODEL:-$root/../shared/data/llama2/tokenizer.model}
sample=$root/../shared/data/slimpajama-sample
data=$work/corpus-$bytes
: >"$work/log"

echo "machine: $(machine | paste -sd, | sed 's/,/, /g') ($(uname -sr)); $("$bin/lmtok" --version | head -n 2 | paste -sd' ')"
if [ ! -f "$model" ]; then
    [ -z "${BENCH_MODEL:-}" ] || { echo "bench: no such file: $model" >&2; exit 1; }
    model=$root/tests/data/tokenizer.model
    echo "note: no LLaMA-2 tokenizer (set BENCH_MODEL); using tests/data/tokenizer.model, 512 pieces"
fi
[ -d "$data" ] || "$bin/lmsynth" -q --bytes "$bytes" --seed 1 -o "$data" || exit 1
mb=$(sed -n 's/^  "bytes": \([0-9]*\),$/\1/p' "$data/synth.json" | awk '{ print $1 / 1e6 }')

tok() { # threads, store, corpus
    rm -f "$2"
    if [ "$1" = 1 ]; then taskset -c "$cpu" "$bin/lmtok" -q -j 1 -m "$model" -o "$2" "$3"
    else "$bin/lmtok" -q -j "$1" -m "$model" -o "$2" "$3"; fi
}

echo
echo "lmtok, .jsonl.zst to a store on disk (MB of text per second, median and range of $runs runs)"
for set in "$data" "$sample"; do
    [ -d "$set" ] || continue
    [ "$set" = "$data" ] || mb=$(zstd -dcq "$set"/train-*.zst | python3 -c 'import json,sys; print(sum(len(json.loads(l)["text"].encode()) for l in sys.stdin)/1e6)')
    inputs=$set; [ "$set" = "$data" ] || { mkdir -p "$work/sample"; ln -sf "$set"/train-*.zst "$work/sample/"; inputs=$work/sample; }
    : >"$work/t1"; : >"$work/t2"
    tok 1 "$work/1.lmt" "$inputs"; tok 2 "$work/2.lmt" "$inputs"   # warm up and compare
    cmp "$work/1.lmt" "$work/2.lmt" || exit 1
    for _ in $(seq "$runs"); do
        seconds tok 1 "$work/1.lmt" "$inputs" >>"$work/t1"
        seconds tok 2 "$work/2.lmt" "$inputs" >>"$work/t2"
    done
    a=$(rates "$mb" <"$work/t1" | median); b=$(rates "$mb" <"$work/t2" | median)
    printf '  %-34s -j 1 %7.1f (%s)   -j 2 %7.1f (%s)   ratio %.2f\n' "$(basename "$set"), $mb MB" \
        "$a" "$(rates "$mb" <"$work/t1" | spread)" "$b" "$(rates "$mb" <"$work/t2" | spread)" \
        "$(awk -v a="$a" -v b="$b" 'BEGIN { print b / a }')"
    [ "$set" = "$sample" ] || mv "$work/1.lmt" "$work/store.lmt"
done

echo
echo "lmmix | lmpack from a warm store, all tokens, rows of 128K (MB of tokens per second)"
"$bin/lmplan" -q -r cut-128k --when-short shrink -o "$work/plan.json" "$work/store.lmt" || exit 1
mix() { rm -rf "$work/shards"; "$bin/lmmix" -q "$work/plan.json" "$work/store.lmt" | "$bin/lmpack" -q -L 131072 -o "$work/shards"; }
mix; "$bin/lmcheck" -q "$work/shards" >/dev/null || exit 1
tokens=$(sed -n 's/^ *"tokens": \([0-9]*\),*$/\1/p' "$work/plan.json" | sort -g | tail -n 1)
mb=$(awk -v t="$tokens" 'BEGIN { print 2 * t / 1e6 }')
: >"$work/t"; for _ in $(seq "$runs"); do seconds mix >>"$work/t"; done
printf '  %-34s %7.1f (%s)\n' "$tokens tokens" "$(rates "$mb" <"$work/t" | median)" "$(rates "$mb" <"$work/t" | spread)"

echo
essays=$root/../shared/data/haystack
[ ! -d "$essays" ] || "$root/build/bench/bench_prompt" "$model" 131072 "$essays"/*.txt || exit 1
echo
"$root/bench/peers.sh"
