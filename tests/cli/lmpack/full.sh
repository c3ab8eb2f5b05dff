# A full disk: a clear message, and nothing that looks complete. Needs to mount a small tmpfs.
mkdir small
mount -t tmpfs -o size=40k none small 2> /dev/null || { echo "cannot mount a tmpfs here" >&2; exit 77; }
trap 'umount small' EXIT
g=$LM_SRC/tests/golden/plan-v1
status=0
lmmix "$g/plan.json" "$g/store.lmt" | lmpack -L 500 -o small/d 2> err || status=$?
[ $status = 1 ] || { cat err; exit 1; }
grep -q "No space left" err
grep -q "small/d/shard-0000" err
[ ! -e small/d/manifest.json ]
for f in small/d/*.lms; do
    [ ! -e "$f" ] || lmcheck "$f" > /dev/null
done
ls small/d/*.tmp 2> /dev/null && exit 1
true
