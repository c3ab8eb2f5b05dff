#!/bin/bash
# From documents to checked training shards in a minute: a made-up corpus like SlimPajama, a small
# tokenizer for it, two mixtures of the paper, and their histograms. `make demo` builds first and
# then calls this. DEMO_DIR is where it works (default: demo/ in the repository).
set -eu -o pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
bin=${LM_BUILD:-$here/build}/bin
export PATH="$bin:$PATH"
dir=${DEMO_DIR:-$here/demo}
mkdir -p "$dir"
cd "$dir"
rm -rf corpus sample.txt tokenizer.model tokenizer.vocab store.lmt ./*.plan.json natural per-source ./*.svg

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\033[1m' dim=$'\033[2m' plain=$'\033[0m'
fi
step=0
say() { step=$((step + 1)); printf '\n%s%d. %s%s\n' "$bold" $step "$*" "$plain"; }
# Show a command, then run it, just as it stands.
run() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; eval "$*"; }

printf '%slongmix: from documents to training shards%s, in %s\n' "$bold" "$plain" "$dir"

say 'A corpus like SlimPajama: seven sources, 100 MB of text that means nothing'
run 'lmsynth --bytes 100M --file-bytes 25M --seed 1 -o corpus'

say 'A tokenizer for it: SentencePiece, trained on a few megabytes of the text'
printf '%s$ spm_train --input=sample.txt --model_prefix=tokenizer --vocab_size=2000 --model_type=bpe ...%s\n' "$dim" "$plain"
zstd -dcq corpus/train-00001.jsonl.zst | { head -c 4M; cat >/dev/null; } |
    LC_ALL=C sed -e 's/^{"text": "//; s/", "meta".*//; s/\\n/\n/g; s/\\"/"/g; s/\\\\/\\/g' >sample.txt
spm_train --input=sample.txt --model_prefix=tokenizer --vocab_size=2000 --model_type=bpe \
    --byte_fallback --normalization_rule_name=identity --remove_extra_whitespaces=false \
    --split_digits --num_threads=2 >spm_train.log 2>&1 ||
    { tail -n 5 spm_train.log >&2; exit 1; }
rm -f sample.txt spm_train.log

say 'Tokenize, once. Whatever mixture is wanted later, this need not be done again'
run 'lmtok -m tokenizer.model -o store.lmt corpus'

say 'Look: how long are the documents of each source, and how much is in long ones?'
run 'lmhist store.lmt'

say 'Plan two mixtures of 4 Mi tokens, 32 rows of 128K. A plan is a page of JSON'
run 'lmplan -r cut-128k   --tokens 4Mi -o natural.plan.json store.lmt'
run 'lmplan -r per-source --tokens 4Mi -o per-source.plan.json store.lmt'

say 'Mix and pack'
run 'lmmix natural.plan.json store.lmt    | lmpack -L 131072 -o natural'
run 'lmmix per-source.plan.json store.lmt | lmpack -L 131072 -o per-source'

say 'Check every byte against its checksum'
run 'lmcheck store.lmt natural per-source'

say 'Where did these tokens come from? Every token of every row has its lineage'
run 'lmcat --head 1 per-source | sed -n 1,8p'

say 'The natural mixture, and the per-source one: the same sources in the same shares,
   and within each of them 70% of the tokens in documents over 4,096'
run 'lmhist --plot natural.svg natural'
echo
run 'lmhist --plot per-source.svg per-source'
lmhist --plot figure2.svg store.lmt natural per-source >/dev/null


printf '\n%sDone in %d seconds.%s The two histograms, drawn, and both beside the store:\n' "$bold" "$SECONDS" "$plain"
printf '  %s\n' "$dir/natural.svg" "$dir/per-source.svg" "$dir/figure2.svg"
printf 'The shards, each folder with its receipt, manifest.json:\n'
printf '  %s\n' "$dir/natural" "$dir/per-source"
printf 'To go on: cd %s; lmplan -r global --tokens 4Mi --table store.lmt\n' "$dir"
printf '(the programs are in %s; each has --help and a man page)\n' "$bin"
