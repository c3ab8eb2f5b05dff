#!/bin/bash
# Demo, about a minute: a synthetic corpus with the shape of SlimPajama, a small tokenizer for it,
# two mixtures of the paper as verified training shards, and their histograms. `make demo` builds
# longmix and runs this script. DEMO_DIR is the working directory (default: demo/ in the
# repository): new, empty, or that of an earlier demo, which is replaced.
set -eu -o pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
bin=${LM_BUILD:-$here/build}/bin
export PATH="$bin:$PATH"
dir=${DEMO_DIR:-$here/demo}
mkdir -p "$dir"
cd "$dir"
refuse() { echo "demo: $dir: $1; name another folder with DEMO_DIR, or empty this one" >&2; exit 1; }

# Remove what an earlier demo wrote, and nothing else.
mark=.longmix-demo
[ -e $mark ] || [ -z "$(ls -A)" ] || refuse 'holds files, and is not the folder of an earlier demo'
echo 'Made by scripts/demo.sh, which may replace the files of the demo in this folder.' >$mark
rm -f sample.txt spm_train.log tokenizer.model tokenizer.vocab store.lmt store.lmt.partial \
    {natural,per-source}.plan.json {natural,per-source,figure2}.svg corpus/synth.json corpus/train-[0-9]*.jsonl.zst \
    {natural,per-source}/{manifest.json,shard-[0-9]*.lms} ./{,corpus/,natural/,per-source/}*.longmix.*
for made in corpus natural per-source; do
    [ ! -e $made ] || rmdir $made 2>rmdir.log || refuse "$made/ holds files that no demo made"
    rm -f rmdir.log
done

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\033[1m' dim=$'\033[2m' plain=$'\033[0m'
fi
step=0
say() { step=$((step + 1)); printf '\n%s%d. %s%s\n' "$bold" $step "$*" "$plain"; }
# Print a command, then run it.
run() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; eval "$*"; }

printf '%slongmix: from documents to training shards%s, in %s\n' "$bold" "$plain" "$dir"

say 'Generate a synthetic corpus with the shape of SlimPajama: seven sources, 100 MB of text'
run 'lmsynth --bytes 100M --file-bytes 25M --seed 1 -o corpus'

say 'Train a SentencePiece tokenizer on a few megabytes of the text'
printf '%s$ spm_train --input=sample.txt --model_prefix=tokenizer --vocab_size=2000 --model_type=bpe ...%s\n' "$dim" "$plain"
zstd -dcq corpus/train-00001.jsonl.zst | { head -c 4M; cat >/dev/null; } |
    LC_ALL=C sed -e 's/^{"text": "//; s/", "meta".*//; s/\\n/\n/g; s/\\"/"/g; s/\\\\/\\/g' >sample.txt
spm_train --input=sample.txt --model_prefix=tokenizer --vocab_size=2000 --model_type=bpe \
    --byte_fallback --normalization_rule_name=identity --remove_extra_whitespaces=false \
    --split_digits --num_threads=2 >spm_train.log 2>&1 ||
    { tail -n 5 spm_train.log >&2; exit 1; }
rm -f sample.txt spm_train.log

say 'Tokenize once; every mixture is made from the same store'
run 'lmtok -m tokenizer.model -o store.lmt corpus'

say 'Show the length distribution of each source and the share of long documents'
run 'lmhist store.lmt'

say 'Plan two mixtures of 4 Mi tokens, 32 rows of 128K; a plan is a short JSON file'
run 'lmplan -r cut-128k   --tokens 4Mi -o natural.plan.json store.lmt'
run 'lmplan -r per-source --tokens 4Mi -o per-source.plan.json store.lmt'

say 'Mix and pack'
run 'lmmix natural.plan.json store.lmt    | lmpack -L 131072 -o natural'
run 'lmmix per-source.plan.json store.lmt | lmpack -L 131072 -o per-source'

say 'Verify all checksums'
run 'lmcheck store.lmt natural per-source'

say 'Show the lineage: the source of every token of every row'
run 'lmcat --head 1 per-source | sed -n 1,8p'

say 'Compare the natural and the per-source mixture: the source shares are equal; with per-source,
   at least 70% of the tokens of each source are in documents over 4,096'
run 'lmhist --plot natural.svg natural'
echo
run 'lmhist --plot per-source.svg per-source'
lmhist --plot figure2.svg store.lmt natural per-source >/dev/null

printf '\n%sDone in %d seconds.%s The two histograms, and both mixtures next to the store:\n' "$bold" "$SECONDS" "$plain"
printf '  %s\n' "$dir/natural.svg" "$dir/per-source.svg" "$dir/figure2.svg"
printf 'The shards, each directory with a manifest.json:\n'
printf '  %s\n' "$dir/natural" "$dir/per-source"
printf 'Next: cd %s; lmplan -r global --tokens 4Mi --table store.lmt\n' "$dir"
printf '(the programs are in %s; see --help and the man pages)\n' "$bin"
