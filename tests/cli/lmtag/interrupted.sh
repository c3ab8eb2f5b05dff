# SIGINT and SIGTERM: exit status 130, and no output that looks complete.
mkfifo in
for signal in INT TERM; do
    yes '{"text":"a","domain":"C4"}' > in 2> /dev/null &
    feeder=$!
    lmtag -o out.jsonl in 2> err &
    tagger=$!
    while [ ! -s out.jsonl.longmix.tmp ]; do sleep 0.05; done
    kill -$signal $tagger
    status=0
    wait $tagger || status=$?
    [ $status = 130 ] || { echo "exit $status"; exit 1; }
    grep -qx 'lmtag: interrupted' err
    [ ! -e out.jsonl ] && [ ! -e out.jsonl.longmix.tmp ]
    wait $feeder || true
done
