#!/bin/bash
# make bench: throughput of the programs on a synthetic corpus (BENCH_BYTES of text, default 1G)
# and, if the test data is available, on the sample corpus; then other tokenizers for comparison
# (bench/peers.sh). Of lmtok also what a tokenizer from memory leaves it (end to end), and of packing
# what ids of 4 bytes cost. The tokenizer is BENCH_MODEL, that of LLaMA 2 in the test data, or else the small
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

tok() { # threads, store, inputs
    local j=$1 store=$2
    shift 2
    rm -f "$store"
    if [ "$j" = 1 ]; then taskset -c "$cpu" "$bin/lmtok" -q -j 1 -m "$model" -o "$store" "$@"
    else "$bin/lmtok" -q -j "$j" -m "$model" -o "$store" "$@"; fi
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
echo "end to end: lmtok -j 1, .jsonl.zst to a store, and its tokenizer alone, texts from memory, empty"
echo "word table (MB of text per processor second; median and range of $runs pairs)"
for set in "$data" "$sample"; do
    [ -d "$set" ] || continue
    inputs=("$set"/train-*.zst)
    plain=$work/plain-$(basename "$set").jsonl
    [ -f "$plain" ] || zstd -dcq "${inputs[@]}" >"$plain"
    mb=$(python3 -c 'import json,sys; print(sum(len(json.loads(l)["text"].encode()) for l in sys.stdin)/1e6)' <"$plain")
    tok 1 "$work/1.lmt" "${inputs[@]}"; tok 2 "$work/2.lmt" "$plain" # warm up and compare
    [ "$("$bin/lmcat" --ids "$work/1.lmt" | md5sum)" = "$("$bin/lmcat" --ids "$work/2.lmt" | md5sum)" ] ||
        { echo "bench: .zst and plain text give different ids" >&2; exit 1; }
    : >"$work/t1"; : >"$work/t2"
    for _ in $(seq "$runs"); do
        cpu_seconds tok 1 "$work/1.lmt" "${inputs[@]}" >>"$work/t1"
        taskset -c "$cpu" "$root/build/bench/bench_tokenizer" "$model" "$plain" 1 >"$work/alone" || exit 1
        awk -F'\t' -v mb="$mb" '$5 { print "bench: ids differ from the reference" > "/dev/stderr"; exit 1 }
            $2 == "longmix" { printf "%.4f\n", mb / $3 }' "$work/alone" >>"$work/t2" || exit 1
    done
    printf '  %-34s lmtok %7.1f (%s)   alone %7.1f (%s)   ratio %.2f (%s)\n' "$(basename "$set"), $mb MB" \
        "$(rates "$mb" <"$work/t1" | median)" "$(rates "$mb" <"$work/t1" | spread)" \
        "$(rates "$mb" <"$work/t2" | median)" "$(rates "$mb" <"$work/t2" | spread)" \
        "$(ratios "$work/t2" "$work/t1" | median)" "$(ratios "$work/t2" "$work/t1" | spread 2)"
done

echo
echo "lmmix | lmpack from a warm store, all tokens, rows of 128K (MB of tokens per second)"
"$bin/lmplan" -q -r cut-128k --when-short shrink -o "$work/plan.json" "$work/store.lmt" || exit 1
mix() { # store, plan, shards
    "$bin/lmmix" -q "$2" "$1" | "$bin/lmpack" -q -L 131072 -o "$3"
}
mix2() { mix "$work/store.lmt" "$work/plan.json" "$work/shards"; }
rm -rf "$work/shards"; mix2; "$bin/lmcheck" -q "$work/shards" >/dev/null || exit 1
tokens=$(sed -n 's/^ *"tokens": \([0-9]*\),*$/\1/p' "$work/plan.json" | sort -g | tail -n 1)
mb=$(awk -v t="$tokens" 'BEGIN { print 2 * t / 1e6 }')
: >"$work/t"; for _ in $(seq "$runs"); do rm -rf "$work/shards"; seconds mix2 >>"$work/t"; done
printf '  %-34s %7.1f (%s)\n' "$tokens tokens" "$(rates "$mb" <"$work/t" | median)" "$(rates "$mb" <"$work/t" | spread)"

echo
echo "the same with ids of 4 bytes (the model with unused pieces added): time of 4 bytes / time of 2 bytes"
echo "(median and range of $runs pairs)"
"$root/bench/wide_model.py" "$model" "$work/wide.model" || exit 1
rm -f "$work/wide.lmt"
"$bin/lmtok" -q -m "$work/wide.model" -o "$work/wide.lmt" "$data" || exit 1
"$bin/lmplan" -q -r cut-128k --when-short shrink -o "$work/wide.json" "$work/wide.lmt" || exit 1
mix4() { mix "$work/wide.lmt" "$work/wide.json" "$work/wide"; }
rm -rf "$work/wide"; mix4
[ "$("$bin/lmcat" --ids "$work/shards" | md5sum)" = "$("$bin/lmcat" --ids "$work/wide" | md5sum)" ] ||
    { echo "bench: rows of 4-byte ids differ from those of 2-byte ids" >&2; exit 1; }
for what in cpu_seconds seconds; do
    : >"$work/t2"; : >"$work/t4"
    for _ in $(seq "$runs"); do # removed before, and on disk: none of that is in the times
        rm -rf "$work/shards"; sync; $what mix2 >>"$work/t2"
        rm -rf "$work/wide"; sync; $what mix4 >>"$work/t4"
    done
    printf '  %-34s 2 bytes %.3f s   4 bytes %.3f s   ratio %.2f (%s)\n' "${what/_/ }" "$(median <"$work/t2")" \
        "$(median <"$work/t4")" "$(ratios "$work/t4" "$work/t2" | median)" "$(ratios "$work/t4" "$work/t2" | spread 2)"
done

echo
essays=$root/../shared/data/haystack
[ ! -d "$essays" ] || "$root/build/bench/bench_prompt" "$model" 131072 "$essays"/*.txt || exit 1
echo
"$root/bench/peers.sh"
