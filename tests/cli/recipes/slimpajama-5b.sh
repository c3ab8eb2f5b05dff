# The script from a directory to checked shards: it reports the disk space it needs, resumes after
# a kill, repeats no step, and refuses other settings and a disk that is too small.
. "$LM_SRC/tests/cli/corpus.bash"
export SLIMPAJAMA=$PWD/corpus TOKENIZER=$model TOKENS=100K ROW=1024 PARTS=3
script=$LM_SRC/recipes/slimpajama-5b.sh
export WHEN_SHORT=shrink

TOKENS=90T "$script" small 2> err && exit 1
grep -q "disk: about" err
grep -q "too little room" err

"$script" whole > out 2> err
head -n 1 err | grep -q "disk: about"
grep -q "done: whole/shards/manifest.json" err
[ -f whole/shards/manifest.json ] && [ -f whole/plan.json ] && [ -f whole/histogram.json ]

# Killed at increasing times; then to the end.
for seconds in 0.05 0.1 0.2 0.4; do
    setsid "$script" killed > out 2> err &
    pid=$!
    sleep $seconds
    kill -KILL -- -$pid 2> /dev/null || true
    wait $pid 2> /dev/null || true
done
"$script" killed > out 2> err
diff -r whole/shards killed/shards
cmp whole/store.lmt killed/store.lmt
cmp whole/plan.json killed/plan.json

# A second run mixes nothing again.
"$script" whole > out 2> err
if grep -q "mix and pack" err; then exit 1; fi
SEED=5 "$script" whole 2> err && exit 1
grep -q "other settings" err
