# exit: 1
# A full disk is told, and no file is left that looks whole.
mkdir out
ln -s /dev/full out/train-00000.jsonl.zst.tmp
lmsynth --bytes 3M --force -o out -j 1 2>message || status=$?
cat message >&2
[ ! -e out/train-00000.jsonl.zst ] || exit 3
grep -q 'No space left' message || exit 4
exit $status
