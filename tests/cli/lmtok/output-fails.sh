# A full disk, a closed pipe, a store that another run is writing.
. "$LM_SRC/tests/cli/lmtok/model.bash"
lmsynth -q --bytes 4M --file-bytes 1M --seed 7 -o c
lmtok -m m.model c > /dev/full 2> err && exit 1 || [ $? = 1 ]
grep -q 'No space left' err
{ lmtok -m m.model c 2> err || echo $? > status; } | head -c 1000 > /dev/null
[ "$(cat status)" = 141 ]
lmtok -m m.model -o no/such/folder/s.lmt c 2> err && exit 1 || [ $? = 1 ]
mkdir folder
lmtok -m m.model -o folder c 2> err && exit 1 || [ $? = 1 ]

lmtok -m m.model -o whole.lmt c
mkfifo feed
lmtok -m m.model -o one.lmt feed 2> one.err & pid=$!
exec 3> feed
while [ ! -e one.lmt.partial ]; do sleep 0.02; done
lmtok -m m.model -o one.lmt feed 2> err && exit 1 || [ $? = 2 ]
grep -q 'another process is writing it' err
exec 3>&-
wait $pid

# The same for a part.
mkfifo feed2
lmtok -m m.model --part 1/2 -o pd feed feed2 2> one.err & pid=$!
exec 3> feed
while [ ! -e pd/part-00001-of-00002.lmt.partial ]; do sleep 0.02; done
lmtok -m m.model --part 1/2 -o pd feed feed2 2> err && exit 1 || [ $? = 2 ]
grep -q 'another process is writing it' err
echo '{"text": "x", "domain": "C4"}' >&3
exec 3>&-
wait $pid
lmcheck -q pd/part-00001-of-00002.lmt

mkdir small
mount -t tmpfs -o size=2m tmpfs small 2> /dev/null || { echo "a small tmpfs cannot be mounted: not tested" >&2; exit 0; }
trap 'umount -l small' EXIT
lmtok -m m.model -o small/s.lmt c 2> err && exit 1 || [ $? = 1 ]
grep -q 'small/s.lmt.partial: .*No space left' err
[ ! -e small/s.lmt ] && [ -s small/s.lmt.partial ]
mount -o remount,size=64m small
lmtok -m m.model -o small/s.lmt c
cmp whole.lmt small/s.lmt
