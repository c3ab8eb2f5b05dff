# Errors: exit status and message; no output file is left.
g=$LM_SRC/tests/golden/plan-v1
refused() { # status, words, arguments
    local want=$1 words=$2 status=0
    shift 2
    lmmix "$@" -o out.lmt 2> err < "${stdin:-/dev/null}" || status=$?
    [ $status = "$want" ] || { echo "lmmix $*: exit $status"; cat err; return 1; }
    grep -qF -- "$words" err || { echo "lmmix $*: no \"$words\" in:"; cat err; return 1; }
    [ ! -e out.lmt ]
}
refused 2 "PLAN"
refused 2 "one plan and one store" a b c
refused 2 "--part needs a store" "$g/plan.json" - --part 1/2
refused 2 "--part" "$g/plan.json" "$g/store.lmt" --part 3/2
refused 2 "--threads" "$g/plan.json" "$g/store.lmt" -j many
refused 1 "no-such.json" no-such.json "$g/store.lmt"
refused 1 "no-such.lmt" "$g/plan.json" no-such.lmt
refused 1 "stdin" "$g/plan.json" -

# Another store, and a mixture.
lmmix "$g/plan.json" "$g/store.lmt" > mixture.lmt
refused 2 "another store" "$g/plan.json" mixture.lmt
refused 2 "the input is a mixture" "$g/hist-plan.json" mixture.lmt
stdin=mixture.lmt refused 2 "the input is a mixture" "$g/plan.json" -

# A truncated store, from disk and from a pipe; a flipped byte in a document.
head -c 30000 "$g/store.lmt" > short.lmt
refused 1 "short.lmt" "$g/plan.json" short.lmt
stdin=short.lmt refused 1 "byte" "$g/hist-plan.json" -
cp "$g/store.lmt" flipped.lmt
printf '\377' | dd of=flipped.lmt bs=1 seek=20000 conv=notrunc status=none
refused 1 "flipped.lmt: byte" "$g/plan.json" flipped.lmt
stdin=flipped.lmt refused 1 "byte" "$g/hist-plan.json" -

# A damaged plan.
sed '/"asked"/n; s/"tokens": 25001/"tokens": 25000/' "$g/plan.json" > plan.json
refused 1 "tokens" plan.json "$g/store.lmt"

# A full disk, a closed pipe.
status=0
lmmix "$g/plan.json" "$g/store.lmt" > /dev/full 2> err || status=$?
[ $status = 1 ]
grep -q "No space" err
{ sleep 0.2; status=0; lmmix "$g/plan.json" "$g/store.lmt" || status=$?; echo $status > status; } | true
[ "$(cat status)" = 141 ]

# The output is an input: the store, a part of one, the plan, standard input; by any name.
cp "$g/plan.json" "$g/store.lmt" .
cp plan.json plan-kept && cp store.lmt store-kept
mkdir parts && cp store.lmt parts/part-00001-of-00001.lmt
ln -s store.lmt link.lmt
ln store.lmt hard.lmt
for o in store.lmt ./store.lmt link.lmt hard.lmt plan.json; do
    lmmix plan.json store.lmt -o $o 2> err && exit 1 || [ $? = 2 ]
    grep -q 'is an input, too' err
done
lmmix plan.json parts -o parts/part-00001-of-00001.lmt 2> err && exit 1 || [ $? = 2 ]
grep -q 'is an input, too' err
lmmix hist-plan.json 2> err < store.lmt -o store.lmt && exit 1
lmmix "$g/hist-plan.json" - -o store.lmt < store.lmt 2> err && exit 1 || [ $? = 2 ]
grep -q 'is an input, too' err
cmp store.lmt store-kept
cmp plan.json plan-kept
# What has no index is refused at once.
mkfifo fifo
for path in fifo /dev/zero; do timeout 10 lmmix plan.json $path -o out.lmt 2> err && exit 1 || [ $? = 2 ]; done

# Two at once: the second is refused. An unfinished store of lmtok is not touched, and nothing is left
# of a run that fails.
echo unfinished > two.lmt.partial
mkfifo feed
lmmix "$g/hist-plan.json" - -o two.lmt < feed 2> first & pid=$!
exec 3> feed
head -c 10000 store.lmt >&3
while [ ! -e two.lmt.longmix.tmp ]; do sleep 0.02; done
lmmix plan.json store.lmt -o two.lmt 2> err && exit 1 || [ $? = 2 ]
grep -q 'another process is writing it' err
exec 3>&-
wait $pid && exit 1
[ ! -e two.lmt ] && [ ! -e two.lmt.longmix.tmp ]
[ "$(cat two.lmt.partial)" = unfinished ]
# The left-over of a killed run does not block.
lmmix "$g/hist-plan.json" - -o two.lmt < feed 2> first & pid=$!
exec 3> feed
head -c 10000 store.lmt >&3
while [ ! -e two.lmt.longmix.tmp ]; do sleep 0.02; done
kill -KILL $pid
wait $pid || true
exec 3>&-
lmmix plan.json store.lmt -o two.lmt
lmmix plan.json store.lmt | cmp - two.lmt
