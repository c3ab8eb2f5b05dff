# The results file: synced at the end, one writer, never something that is no file.
. "$LM_SRC/tests/cli/model.bash"
measure() { lmeval ppl -q -m stories --text "$text" -L 64 --windows 2 --bins 0 "$@"; }
try() { status=0; "$@" 2>&1 || status=$?; echo "exit $status"; }
echo "-- one writer"
touch r.jsonl
exec 7<r.jsonl
flock -x 7
try measure -o r.jsonl
flock -u 7
try measure -o r.jsonl
wc -l <r.jsonl
echo "-- no file"
mkfifo fifo
mkdir folder
for f in fifo folder /dev/null; do try timeout 10 lmeval ppl -q -m stories --text "$text" -L 64 --windows 2 --bins 0 -o $f; done
ls -l fifo | cut -c1
echo "-- a link is followed"
ln -s kept.jsonl link.jsonl
try measure -o link.jsonl
[ -L link.jsonl ] && wc -l <kept.jsonl
echo "-- stopped between: each line is whole, and the next run goes on"
rm r.jsonl
lmeval ppl -q -m stories --text "$text" -L 64,128,256,300 -o r.jsonl &
while [ ! -s r.jsonl ]; do sleep 0.02; done
kill -KILL $!
wait $! 2>/dev/null || true
python3 -c 'import json; [json.loads(l) for l in open("r.jsonl").read().split("\n")[:-1]]' && echo "whole"
lmeval ppl -q -m stories --text "$text" -L 64,128,256,300 -o r.jsonl
grep -c '"mode":"full"' r.jsonl
