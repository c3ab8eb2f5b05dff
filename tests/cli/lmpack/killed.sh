# Killed at ten moments: no shard file is incomplete, and the next run writes the same bytes
# as an uninterrupted run.
g=$LM_SRC/tests/golden/plan-v1
lmmix "$g/plan.json" "$g/store.lmt" > mix.lmt
lmpack -q -L 64 -o whole mix.lmt
for i in 0 1 2 3 4 5 6 7 8 9; do
    # The stream is slow, so that the kills fall into different shards.
    { head -c $((7000 * i)) mix.lmt; sleep 0.2; tail -c +$((7000 * i + 1)) mix.lmt; } 2> /dev/null |
        { lmpack -q -L 64 -o killed & p=$!; sleep 0.1; kill -9 $p; wait $p 2> /dev/null || true; } || true
    for f in killed/*.lms; do
        [ ! -e "$f" ] || lmcheck "$f" > /dev/null
    done
    [ ! -e killed/manifest.json ]
done
lmpack -q -L 64 -o killed mix.lmt
diff -r whole killed

# Interrupted: reported, and no unfinished file is left.
{ head -c 30000 mix.lmt; sleep 1; tail -c +30001 mix.lmt; } 2> /dev/null |
    { lmpack -L 64 -o stopped 2> err & p=$!; sleep 0.3; kill -INT $p; status=0; wait $p || status=$?; echo $status > status; } || true
[ "$(cat status)" = 130 ]
ls stopped/*.tmp 2> /dev/null && exit 1
true
