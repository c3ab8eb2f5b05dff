# One process at a time writes a corpus into a folder; a killed one does not block the next.
mkdir made
mkfifo made/train-00000.jsonl.zst
lmsynth -q --bytes 100K --seed 1 --force -o made & pid=$!
while [ ! -e made/.lock.longmix.tmp ]; do sleep 0.02; done
status=0
timeout 20 lmsynth -q --bytes 100K --seed 2 --force -o made 2> err || status=$?
[ $status = 2 ]
grep -q "^lmsynth: made: another process is writing it (PID $pid)" err
kill -9 $pid
wait $pid || true
rm made/train-00000.jsonl.zst
lmsynth -q --bytes 100K --seed 2 -o made # only the lock was left
lmsynth -q --bytes 100K --seed 2 -o second
diff -r made second
