# The demo: both histograms, the figures, shards that pass lmcheck.
command -v spm_train >/dev/null || { echo "spm_train is absent"; exit 77; }
# files left by an earlier run are replaced
mkdir -p here/natural here/corpus && touch here/natural/shard-00099.lms here/corpus/old.jsonl here/store.lmt
DEMO_DIR=$PWD/here "$LM_SRC/scripts/demo.sh" > out 2>message || { tail -n 20 out message >&2; exit 1; }
grep -E '^\$ lm[a-z]+' out | cut -d ' ' -f 2 | uniq
# the per-source mixture keeps each share and has 70% of long documents where possible
grep -c ' 70\.0%  ' out
for f in natural.svg per-source.svg figure2.svg; do grep -q "here/$f\$" out && grep -q '</svg>' "here/$f"; done
lmcheck -q here/natural here/per-source > /dev/null
