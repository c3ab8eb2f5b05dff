# Plans, recipes, histograms and manifests are regular files or come through a descriptor. A FIFO, a
# socket, a device or an empty file in their place is refused at once and named.
g=$LM_SRC/tests/golden/plan-v1
mkfifo fifo
ln -s /dev/zero device
odd="fifo device"
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")' 2> err && odd="$odd socket"
refused() { # WORDS COMMAND...
    local words=$1 status=0; shift
    timeout 20 "$@" > out 2> err < /dev/null || status=$?
    [ $status = 1 ] && grep -qF -- "$words" err || { echo "$*: exit $status, not: $words"; cat err; exit 1; }
    [ ! -s out ]
}
for f in $odd; do
    refused "$f: not a regular file, but a" lmplan -r ./$f "$g/store.lmt"
    refused "$f: not a regular file, but a" lmplan -r "$g/recipe.json" $f
    refused "$f: not a regular file, but a" lmmix $f "$g/store.lmt"
done

# Shards and manifests.
lmmix -q "$g/plan.json" "$g/store.lmt" | lmpack -q -L 500 -o d
mv d/manifest.json .
mkfifo d/manifest.json
refused "d/manifest.json: is a FIFO, not a regular file" lmcheck d/manifest.json
lmmix -q "$g/plan.json" "$g/store.lmt" -o mix.lmt
refused "d/manifest.json: is in the way and not a regular file" lmpack -q -L 500 -o d mix.lmt
rm d/manifest.json
mv manifest.json d
mv d/shard-00001.lms .
mkfifo d/shard-00001.lms
refused "d/shard-00001.lms: is a FIFO, not a regular file" lmcat d
refused "d/shard-00001.lms: is a FIFO, not a regular file" lmcheck d/shard-00001.lms
refused "d/shard-00001.lms: is a FIFO, not a regular file" lmpack -q -L 500 -o d mix.lmt
refused "d/shard-00001.lms: is a FIFO, not a regular file" lmpack -q -L 500 -o d --force mix.lmt
refused "d/shard-00001.lms: is a FIFO, not a regular file" lmhist d

# Through a descriptor.
lmplan -q -r "$g/recipe.json" --shards 4 -L 512 "$g/hist.json" > want
lmplan -q -r <(cat "$g/recipe.json") --shards 4 -L 512 <(cat "$g/hist.json") | cmp - want
lmplan -q -r /dev/stdin --shards 4 -L 512 "$g/hist.json" < "$g/recipe.json" | cmp - want
cat "$g/hist.json" | lmplan -q -r "$g/recipe.json" --shards 4 -L 512 /dev/stdin | cmp - want
lmmix -q <(cat "$g/plan.json") "$g/store.lmt" | cmp - mix.lmt

# Empty: what a failed "lmplan > plan.json" leaves.
! lmplan -q -r no-such-recipe "$g/store.lmt" > plan.json 2> err
[ ! -s plan.json ]
refused "plan.json: is empty; the command that was to write it may have failed" lmmix plan.json "$g/store.lmt"
echo > blank.json
refused "blank.json: is empty" lmplan -r ./blank.json "$g/store.lmt"
! lmplan -q -r no-such-recipe "$g/store.lmt" -o none.json 2> err
[ ! -e none.json ]

# One process writes a plan: while it reads, another one is refused and the file appears only at the end.
{ cat "$g/hist.json"; until [ -e go ]; do sleep 0.02; done; } |
    lmplan -q -r "$g/recipe.json" --shards 4 -L 512 -o two.json - & pid=$!
while [ ! -e two.json.longmix.tmp ]; do sleep 0.02; done
status=0
lmplan -q -r "$g/recipe.json" -L 512 -o two.json "$g/store.lmt" 2> err || status=$?
[ $status = 2 ] && grep -q "^lmplan: two.json: another process is writing it (PID $pid)" err
[ ! -e two.json ]
: > go
wait $pid
cmp want two.json
[ ! -e two.json.longmix.tmp ]
! lmplan -q -r "$g/recipe.json" -L 512 -o two.json no-such.lmt 2> err
cmp want two.json # a failure leaves the old one
