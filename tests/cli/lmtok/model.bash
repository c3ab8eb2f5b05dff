# Sourced by the tests of this folder: m.model, a small SentencePiece model for the fast path.
command -v spm_train > /dev/null || { echo "skipped: spm_train is absent (make setup installs it)"; exit 77; }
{
    lmsynth --bytes 300K --seed 1 | sed 's/^.*"text": *"//' | tr -d '\\' | fold -w 4000
    for i in {1..400}; do echo "日本語 日本 çäöü $i"; done
} > words.txt
spm_train --input=words.txt --model_prefix=m --model_type=bpe --vocab_size=600 --byte_fallback=true \
    --normalization_rule_name=identity --remove_extra_whitespaces=false --split_digits=true \
    --character_coverage=0.99 --hard_vocab_limit=false --num_threads=1 > spm.log 2>&1 ||
    { cat spm.log >&2; exit 1; }
rm -f words.txt m.vocab spm.log
