#!/bin/bash
# Tokenize the same documents from memory on one core with longmix, SentencePiece, gigatoken, tiktoken
# and HF tokenizers, each for the files that it reads. The ids of every tokenizer are compared with those of longmix ("differ": number of
# documents with different ids). The other tokenizers are installed from PyPI into build/venv-peers;
# if this fails, the benchmark is skipped with a message. Needs the test data (sample corpus and
# LLaMA-2 tokenizer).
. "$(dirname "$0")/lib.sh"
model=$root/../shared/data/llama2/tokenizer.model
sample=$root/../shared/data/slimpajama-sample
[ -d "$sample" ] && [ -f "$model" ] || { echo "peers: skipped: no sample corpus or tokenizer"; exit 0; }
venv=$root/build/venv-peers
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" && "$venv/bin/pip" -q install sentencepiece gigatoken tokenizers tiktoken ||
        { echo "peers: skipped: could not be installed from PyPI"; rm -rf "$venv"; exit 0; }
fi
# Besides $model: tokenizer.json, rank and tekken.json files, FILE or FILE:PATTERN with the expression's name.
tokenizers=${BENCH_TOKENIZERS:-}

texts=$work/by-type
if [ ! -d "$texts" ]; then
    mkdir -p "$texts.tmp"
    for d in CommonCrawl C4 GitHub ArXiv Book Wikipedia StackExchange; do
        "$bin/lmtag" -q --only $d "$sample"/train-*.zst >"$texts.tmp/$d.jsonl" || exit 1
    done
    mv "$texts.tmp" "$texts"
fi

side_by_side() { # FILE NAME-OF-PATTERN
    local ids f
    ids=$(mktemp -d) || exit 1
    for f in "$texts"/*.jsonl; do
        "$bin/lmtok" -q --no-bos -m "$1" "$f" | "$bin/lmcat" --ids - >"$ids/$(basename "$f" .jsonl).ids" || exit 1
    done
    taskset -c "$cpu" "$venv/bin/python" "$root/bench/peers.py" "$1" "$texts" "$ids" "$runs" "$2"
    for f in "$texts"/*.jsonl; do
        taskset -c "$cpu" "$root/build/bench/bench_tokenizer" "$1" "$f" "$runs"
    done
    rm -r "$ids"
}

: >"$work/peers.tsv"
for t in "$model" $tokenizers; do
    pattern=
    case $t in *:*) pattern=${t##*:} ;; esac
    echo "$(basename "${t%:*}") from memory, one core, empty cache, then again (MB of text per second)"
    side_by_side "${t%:*}" "$pattern" | tee -a "$work/peers.tsv" | column -t -s "$(printf '\t')"
done
