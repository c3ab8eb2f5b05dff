#!/bin/bash
# A real checkpoint past its length: perplexity of stories260K (trained at 512) at 256 to 4,096 tokens with
# RoPE, its scalings, and Dual Chunk Attention.
#
#   STORIES=dir-of-stories260K.bin-and-tok512.bin recipes/stories-ppl.sh [OUT]
#
# On stories that the model itself tells (drawn at temperature 1; each begins with BOS, as in its training),
# and, with ESSAYS=dir, on the .txt files of a directory: natural text, far from its domain.
# OUT (./stories-ppl) gets results, ppl-*.md and ppl-*.png. Also: TALES=160 stories, WINDOWS=60 a length, THREADS=1.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v lmeval > /dev/null || PATH=$here/../build/bin:$PATH
: "${STORIES:?the directory with stories260K.bin and tok512.bin}"
tales=${TALES:-160} windows=${WINDOWS:-60} threads=${THREADS:-1} lengths=256,512,1024,2048,4096
out=${1:-stories-ppl}
mkdir -p "$out/stories"
[ -d "$out/model" ] || lmimport llama2c "$STORIES/stories260K.bin" "$STORIES/tok512.bin" -o "$out/model"

for ((i = 0; i < tales; i++)); do
    story=$(printf '%s/stories/%04d.txt' "$out" $i)
    [ -s "$story" ] || { lmgen -q -j "$threads" -m "$out/model" -t 1 -n 500 --seed $i "" > "$story.part" && mv "$story.part" "$story"; }
done

measure() { # NAME TEXT FORM OPTIONS...
    local name=$1 text=$2 form=$3; shift 3
    lmeval ppl -q -j "$threads" -m "$out/model" --text "$text" --lengths $lengths --windows $windows --bins 0 \
        -o "$out/$name.$form.jsonl" "$@"
}
for name in stories essays; do
    text=$out/stories
    [ $name = stories ] || text=${ESSAYS:-}
    [ -n "$text" ] || continue
    measure $name "$text" rope
    # dynamic:F scales by F length/512 - (F - 1), as Hugging Face does: 1 is what fits the length.
    for scaling in linear:8 ntk:8 dynamic:1 dynamic:8 yarn:8; do
        measure $name "$text" ${scaling/:/-} --rope-scaling $scaling
    done
    measure $name "$text" dca --attention dca
    measure $name "$text" chunkllama --attention dca:chunkllama
    for mode in full tail; do
        lmplot ppl "$out/$name".*.jsonl --where mode=$mode -o "$out/ppl-$name-$mode.md"
        lmplot ppl "$out/$name".*.jsonl --where mode=$mode --max 60 -o "$out/ppl-$name-$mode.png"
    done
done
