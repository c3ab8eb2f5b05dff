#!/bin/bash
# The same documents, tokenized from memory on one core: longmix, SentencePiece, gigatoken, HF
# tokenizers. Ids are compared with ours before anything is timed ("differ": documents that are not
# token for token ours). The peers come from PyPI into build/venv-peers; where that fails, the
# line says so. Needs the test data (sample and LLaMA-2 tokenizer).
. "$(dirname "$0")/lib.sh"
model=$root/../shared/data/llama2/tokenizer.model
sample=$root/../shared/data/slimpajama-sample
[ -d "$sample" ] && [ -f "$model" ] || { echo "peers: skipped, the sample corpus or tokenizer is absent"; exit 0; }
venv=$root/build/venv-peers
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" && "$venv/bin/pip" -q install sentencepiece gigatoken tokenizers ||
        { echo "peers: skipped, they could not be installed from PyPI"; rm -rf "$venv"; exit 0; }
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
echo "tokenizers from memory, one core, a fresh cache each time (MB of text a second)"
{
    taskset -c "$cpu" "$venv/bin/python" "$root/bench/peers.py" "$model" "$texts" "$runs"
    for f in "$texts"/*.jsonl; do
        taskset -c "$cpu" "$root/build/bench/bench_tokenizer" "$model" "$f" "$runs"
    done
} | tee "$work/peers.tsv" | column -t -s "$(printf '\t')"
