# Killed at ten random moments and restarted each time, the store, the quarantined lines and the list of
# quarantined files are identical to those of an uninterrupted run.
. "$LM_SRC/tests/cli/lmtok/model.bash"
lmsynth -q --bytes 16M --file-bytes 3M --seed 3 -o c
for i in 0 2 4; do # bad lines here and there
    zstd -dqc c/train-0000$i.jsonl.zst | awk '1; NR % 50 == 9 { print "{\"text\": " NR "}" }' > x
    rm c/train-0000$i.jsonl.zst
    mv x c/train-0000$i.jsonl
done
zstd -dqc c/train-00001.jsonl.zst | gzip -1 > x
head -c 500000 x > c/train-00001b.jsonl.gz # truncated
rm x
awk 'BEGIN { for (i = 0; i < 60000; i++) print "no document " i }' > c/train-00003b.jsonl
tok() {
    exec lmtok -q -j 2 -m m.model --bad-lines "quarantine:$1.bad" --bad-files "quarantine:$1.files" -o "$1.lmt" c
}
start=$(date +%s%N)
(tok whole)
took=$((($(date +%s%N) - start) / 1000000))
lmcheck whole.lmt

RANDOM=${LM_TEST_SEED:-$$}
echo "seed $RANDOM (LM_TEST_SEED repeats it)" >&2
killed=0 resumed=0 whole_runs=0
while [ $killed -lt 10 ]; do
    tok killed &
    sleep "$(awk -v t=$took -v r=$RANDOM 'BEGIN { printf "%.4f", t / 1000 * r / 32768 * 0.8 }')"
    kill -KILL $! 2> /dev/null || true
    wait $! 2> /dev/null || [ $? != 137 ] || killed=$((killed + 1))
    if [ -e killed.lmt ]; then
        cmp whole.lmt killed.lmt
        cmp whole.bad killed.bad
        cmp whole.files killed.files
        whole_runs=$((whole_runs + 1))
        [ $whole_runs -lt 40 ]
        rm killed.lmt killed.bad killed.files
    elif [ -s killed.lmt.partial ]; then
        resumed=$((resumed + 1))
    fi
done
(tok killed)
cmp whole.lmt killed.lmt
cmp whole.bad killed.bad
cmp whole.files killed.files
[ "$(wc -l < whole.files)" = 2 ]
echo "10 killed, $resumed of them with a store begun; $whole_runs ended meanwhile" >&2
[ $resumed -gt 0 ]
[ ! -e killed.lmt.partial ] && [ ! -e killed.bad.partial ]
