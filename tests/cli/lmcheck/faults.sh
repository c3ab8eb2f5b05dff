# Flipped bytes, truncated, missing and unfinished files: each is reported, and none as ok.
g=$LM_SRC/tests/golden/plan-v1
lmmix "$g/plan.json" "$g/store.lmt" | lmpack -q -L 500 -o d
cp "$g/store.lmt" store.lmt
cp "$g/plan.json" plan.json
lmcheck d store.lmt plan.json > out
[ "$(grep -c '^ok ' out)" = "$(wc -l < out)" ]
[ "$(wc -l < out)" = $(($(ls d | wc -l) + 2)) ]
lmcheck --quick d store.lmt > out
grep -q "not read" out
lmcheck - < store.lmt
lmcheck d -j 1 > one
lmcheck d -j 4 > four
cmp one four

bad() { # words, paths: exit 1, the words on stderr, no ok for the last path
    local words=$1 status=0
    shift
    lmcheck "$@" > out 2> err || status=$?
    [ $status = 1 ] || { echo "lmcheck $*: exit $status"; cat err; return 1; }
    grep -q -- "$words" err || { echo "lmcheck $*: no \"$words\" in:"; cat err; return 1; }
    ! grep -qF "ok ${!#}:" out
}
size=$(stat -c %s d/shard-00001.lms)
for at in 0 9 20 100 4090 4096 6000 $((size / 2)) $((size - 2000)) $((size - 100)) $((size - 1)); do
    cp d/shard-00001.lms x.lms
    byte=$(od -An -tu1 -j $at -N 1 x.lms)
    printf "\\$(printf %o $((byte ^ 16)))" | dd of=x.lms bs=1 seek=$at conv=notrunc status=none
    bad "x.lms: byte" d/shard-00000.lms x.lms
    grep -q "^ok d/shard-00000.lms" out # the others are still checked
done
for n in 0 100 5000 $((size - 1)); do
    head -c $n d/shard-00001.lms > x.lms
    bad "x.lms:" x.lms
done
size=$(stat -c %s store.lmt)
for at in 0 40 3000 $((size / 2)) $((size - 500)) $((size - 30)) $((size - 1)); do
    cp store.lmt x.lmt
    byte=$(od -An -tu1 -j $at -N 1 x.lmt)
    printf "\\$(printf %o $((byte ^ 16)))" | dd of=x.lmt bs=1 seek=$at conv=notrunc status=none
    bad "x.lmt" x.lmt
done
head -c 20000 store.lmt > x.lmt
bad "x.lmt" x.lmt
bad "stdin" - < x.lmt

bad "no-such" no-such.lms
cp d/shard-00000.lms d/shard-00009.lms.tmp
bad "d/shard-00009.lms.tmp: incomplete" d
rm d/shard-00009.lms.tmp
cp store.lmt half.lmt.partial
bad "half.lmt.partial: incomplete" half.lmt.partial
mv d/manifest.json m.json
bad "manifest.json is missing" d
bad "No such file" d/manifest.json
sed 's/"rows": \([0-9]\)/"rows": 1\1/' m.json > d/manifest.json
bad "manifest.json: byte" d
mv m.json d/manifest.json
lmcheck d > /dev/null
mv d/shard-00001.lms .
bad "shard-00001.lms is missing" d
mv shard-00001.lms d
last=$(ls d/*.lms | tail -n 1)
mv $last last.lms
bad "the shards after number" d
mkdir empty
bad "nothing to check" empty
