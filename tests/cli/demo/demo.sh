# The demo: both histograms, the figures, shards that pass lmcheck.
command -v spm_train >/dev/null || { echo "spm_train is absent"; exit 77; }
# A folder with other files is refused and left as it is.
demo() { DEMO_DIR=$PWD/here "$LM_SRC/scripts/demo.sh"; }
mkdir -p here/corpus && touch here/corpus/mine.jsonl here/plot.svg
demo > out 2> message && exit 1
grep -q 'here: holds files, and is not the folder of an earlier demo' message
[ "$(cd here && find . -type f | sort | tr '\n' ' ')" = './corpus/mine.jsonl ./plot.svg ' ]
# So are other files in the folder of an earlier demo, whose own files are replaced.
touch here/.longmix-demo here/store.lmt
demo > out 2> message && exit 1
grep -q 'corpus/ holds files that no demo made' message
[ -e here/corpus/mine.jsonl ] && [ -e here/plot.svg ]
rm here/corpus/mine.jsonl
mkdir here/natural && touch here/natural/shard-00099.lms here/corpus/train-00099.jsonl.zst here/store.lmt
demo > out 2> message || { tail -n 20 out message >&2; exit 1; }
grep -E '^\$ lm[a-z]+' out | cut -d ' ' -f 2 | uniq
# the per-source mixture keeps each share and has 70% of long documents where possible
grep -c ' 70\.0%  ' out
for f in natural.svg per-source.svg figure2.svg; do grep -q "here/$f\$" out && grep -q '</svg>' "here/$f"; done
lmcheck -q here/natural here/per-source > /dev/null
[ -e here/plot.svg ] && [ ! -e here/natural/shard-00099.lms ] && [ ! -e here/corpus/train-00099.jsonl.zst ]
