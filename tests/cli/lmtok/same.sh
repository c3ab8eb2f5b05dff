# The bytes of a store do not depend on threads, on the output path, or on the fast path.
. "$LM_SRC/tests/cli/lmtok/model.bash"
lmsynth -q --bytes 12M --file-bytes 4M --seed 2 -o c
lmtok -j 1 -m m.model -o 1.lmt c
for j in 2 3 4; do
    lmtok -j $j -m m.model -o $j.lmt c
    cmp 1.lmt $j.lmt
done
lmtok -j 2 -m m.model c | cmp - 1.lmt
lmtok -j 2 -m m.model --check-every 1 -o checked.lmt c
cmp 1.lmt checked.lmt
lmtok -j 2 -m m.model --reference -o reference.lmt c
cmp 1.lmt reference.lmt
lmcheck 1.lmt

# The same text from each kind of input gives the same documents.
zstd -dqc c/train-00000.jsonl.zst > a.jsonl
gzip -c a.jsonl > b.jsonl.gz
{ head -n 40 a.jsonl | zstd -qc; tail -n +41 a.jsonl | zstd -q --long=27 -c; } > d.jsonl.zst
mkdir e
cp a.jsonl e
lmtok -m m.model < a.jsonl > stdin.lmt
for f in a.jsonl b.jsonl.gz d.jsonl.zst e; do lmtok -m m.model -o $f.lmt $f; done
for f in stdin a.jsonl b.jsonl.gz d.jsonl.zst e; do
    lmcat --json --ids $f.lmt | sed 's/"file":"[^"]*",//' > $f.txt
    cmp a.jsonl.txt $f.txt 2> /dev/null || [ $f = stdin ]
done
cmp stdin.txt a.jsonl.txt
[ "$(wc -l < a.jsonl.txt)" = "$(wc -l < a.jsonl)" ]
