#!/bin/bash
# Tokenize the same documents from memory on one core with longmix, SentencePiece, gigatoken and HF
# tokenizers. The ids of every tokenizer are compared with those of longmix ("differ": number of
# documents with different ids). The other tokenizers are installed from PyPI into build/venv-peers;
# if this fails, the benchmark is skipped with a message. Needs the test data (sample corpus and
# LLaMA-2 tokenizer).
. "$(dirname "$0")/lib.sh"
model=$root/../shared/data/llama2/tokenizer.model
sample=$root/../shared/data/slimpajama-sample
[ -d "$sample" ] && [ -f "$model" ] || { echo "peers: skipped: no sample corpus or tokenizer"; exit 0; }
venv=$root/build/venv-peers
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" && "$venv/bin/pip" -q install sentencepiece gigatoken tokenizers ||
        { echo "peers: skipped: could not be installed from PyPI"; rm -rf "$venv"; exit 0; }
fi
texts=$work/by-type
if [ ! -d "$texts" ]; then
    mkdir -p "$texts.tmp"
    for d in CommonCrawl C4 GitHub ArXiv Book Wikipedia StackExchange; do
        "$bin/lmtag" -q --only $d "$sample"/train-*.zst >"$texts.tmp/$d.jsonl" || exit 1
        "$bin/lmtok" -q --no-bos -m "$model" "$texts.tmp/$d.jsonl" | "$bin/lmcat" --ids - >"$texts.tmp/$d.ids" || exit 1
    done
    mv "$texts.tmp" "$texts"
fi
echo "tokenizers from memory, one core, empty cache (MB of text per second)"
{
    taskset -c "$cpu" "$venv/bin/python" "$root/bench/peers.py" "$model" "$texts" "$runs"
    for f in "$texts"/*.jsonl; do
        taskset -c "$cpu" "$root/build/bench/bench_tokenizer" "$model" "$f" "$runs"
    done
} | tee "$work/peers.tsv" | column -t -s "$(printf '\t')"
