#!/bin/bash
# Make the paper's 5B-token mixture from a SlimPajama directory, up to verified shards:
#
#   SLIMPAJAMA=/data/SlimPajama-627B TOKENIZER=tokenizer.model recipes/slimpajama-5b.sh [OUT]
#
# OUT (default ./slimpajama-5b) receives store.lmt, histogram.json, plan.json and shards/ with
# manifest.json. If the script is interrupted, run it again to resume. Optional environment
# variables:
#   RECIPE=per-source  TOKENS=5B  ROW=131072  SEED=  WHEN_SHORT=  JOBS=  PARTS=8
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v lmtok > /dev/null || PATH=$here/../build/bin:$PATH
say() { echo "slimpajama-5b: $*" >&2; }
die() { say "$*"; exit 1; }

: "${SLIMPAJAMA:?a directory of SlimPajama (.jsonl.zst)}" "${TOKENIZER:?a SentencePiece tokenizer.model}"
recipe=${RECIPE:-per-source} tokens=${TOKENS:-5B} row=${ROW:-131072} parts=${PARTS:-8}
out=${1:-slimpajama-5b}
[ -d "$SLIMPAJAMA" ] || die "$SLIMPAJAMA: no such directory"
[ -f "$TOKENIZER" ] || die "$TOKENIZER: no such file"
command -v lmtok > /dev/null || die "lmtok is not in the PATH: run make first"
jobs=() seed=() when_short=()
[ -z "${JOBS:-}" ] || jobs=(-j "$JOBS")
[ -z "${SEED:-}" ] || seed=(--seed "$SEED")
[ -z "${WHEN_SHORT:-}" ] || when_short=(--when-short "$WHEN_SHORT")
mkdir -p "$out"

# ---- disk space ---------------------------------------------------------------------------------

# The store has two bytes per token. SlimPajama has 1.4 compressed bytes per token, JSONL about 4.5.
bytes_of() { find -L "$SLIMPAJAMA" -type f -name "$1" -printf '%s\n' | awk '{ n += $1 } END { printf "%.0f", n }'; }
packed=$(($(bytes_of '*.jsonl.zst') + $(bytes_of '*.jsonl.gz')))
plain=$(bytes_of '*.jsonl')
[ $((packed + plain)) -gt 0 ] || die "$SLIMPAJAMA: contains no .jsonl, .jsonl.zst or .jsonl.gz files"
mixture=$(sed 's/[bB]$/G/; s/[a-z]$/\U&/' <<< "$tokens" | numfmt --from=si) || die "TOKENS=$tokens: not a number of tokens"
store=$((packed * 3 / 2 + plain * 2 / 3))
shards=$((mixture * 9 / 4))
have=$(du -sb "$out" | cut -f1)
free=$(df -B1 --output=avail "$out" | tail -n 1)
gb() { awk -v n="$1" 'BEGIN { printf "%.1f GB", n / 1e9 }'; }
say "disk: about $(gb $store) for the store and $(gb $shards) for the shards; $(gb "$have") already written, $(gb "$free") free"
[ $((store + shards - have)) -le "$free" ] || die "$out: too little room on this file system"

# ---- settings -----------------------------------------------------------------------------------

settings="recipe $recipe, tokens $tokens, row $row, seed ${SEED:-of the recipe}, when short ${WHEN_SHORT:-as the recipe}, parts $parts"
[ -f "$out/settings" ] || { echo "$settings" > "$out/settings.tmp" && mv "$out/settings.tmp" "$out/settings"; }
[ "$(cat "$out/settings")" = "$settings" ] ||
    die "$out was started with other settings: $(cat "$out/settings"); use another directory (copy or link store.lmt into it to avoid tokenizing again)"

# ---- steps; each output is renamed into place when it is complete --------------------------------

say "tokenize (resumes an interrupted run)"
lmtok -m "$TOKENIZER" "${jobs[@]}" -o "$out/store.lmt" "$SLIMPAJAMA"

if [ ! -f "$out/histogram.json" ]; then
    say "histogram"
    lmhist --json "$out/store.lmt" > "$out/histogram.json.tmp"
    mv "$out/histogram.json.tmp" "$out/histogram.json"
fi

if [ ! -f "$out/plan.json" ]; then
    say "plan"
    lmplan -r "$recipe" --tokens "$tokens" -L "$row" "${seed[@]}" "${when_short[@]}" -o "$out/plan.json" "$out/store.lmt"
fi

mkdir -p "$out/done"
for ((k = 1; k <= parts; k++)); do
    [ -f "$out/done/part-$k" ] && continue
    say "mix and pack, part $k of $parts"
    lmmix "${jobs[@]}" --part $k/$parts "$out/plan.json" "$out/store.lmt" |
        lmpack "${jobs[@]}" --part $k/$parts -L "$row" -o "$out/shards"
    touch "$out/done/part-$k"
done

say "check"
lmcheck "$out/shards"
lmhist "$out/store.lmt" "$out/shards"
say "done: $out/shards/manifest.json describes the result"
