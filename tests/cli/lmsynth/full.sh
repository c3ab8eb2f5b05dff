# exit: 1
# A full disk is an error, and no file that looks complete is left.
mkdir out
ln -s /dev/full out/train-00000.jsonl.zst
lmsynth --bytes 3M --force -o out -j 1 2>message || status=$?
cat message >&2
[ "$(ls out)" = train-00000.jsonl.zst ] && [ -c out/train-00000.jsonl.zst ] || exit 3
grep -q 'No space left' message || exit 4
exit $status
