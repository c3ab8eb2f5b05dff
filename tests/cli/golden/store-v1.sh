# A store of format version 1 is read as before: what was printed, planned and mixed from it by version
# 0.1.0 is in the .out file. lmtok compares its inputs, and refuses to finish one that is unfinished.
data=$LM_SRC/tests/data
command -v python3 > /dev/null || { echo "python3 is absent" >&2; exit 77; }
cp "$LM_SRC"/tests/golden/store-v1/lmtok/* .
chmod u+w ./*
sum() { python3 "$LM_SRC/tests/cli/golden/sum.py" "$@"; }
lmcat s.lmt > view
lmcat --json --ids --text -m "$data/tokenizer.model" s.lmt > documents
lmhist --json s.lmt > hist.json
for r in cut-4k per-source; do
    lmplan -q -r $r --tokens 4K -L 128 --when-short shrink -o $r.json s.lmt
    lmmix -q -o $r.lmt $r.json s.lmt
    lmmix -q $r.json - < s.lmt > $r.arrival.lmt
    lmcat --json --ids $r.lmt > $r.mixture
    lmcat --json --ids $r.arrival.lmt > $r.arrival
done
sum view documents hist.json ./*.mixture ./*.arrival
for f in cut-4k.json per-source.json; do sum $f; done
lmcheck s.lmt cut-4k.lmt per-source.arrival.lmt

# lmtok takes it as complete where its inputs are the same, under the same paths.
tok() { lmtok -m "$data/tokenizer.model" --bad-lines quarantine:bad -o s.lmt "$@" 2>&1; }
tok a.jsonl b.jsonl | grep -q 's.lmt: already complete'
tok ./a.jsonl b.jsonl > err && exit 1 || [ $? = 2 ]
grep -q 'its "files" differs' err
sed -i '2s/.$/ }/' a.jsonl
tok a.jsonl b.jsonl > err && exit 1 || [ $? = 1 ]
grep -q 'a.jsonl: has changed' err
cp "$LM_SRC/tests/golden/store-v1/lmtok/a.jsonl" .
[ ! -e bad ]
mv s.lmt s.lmt.partial
tok a.jsonl b.jsonl > err && exit 1 || [ $? = 2 ]
grep -q 's.lmt.partial: .*an earlier version of longmix began it.*--force' err
cmp s.lmt.partial "$LM_SRC/tests/golden/store-v1/lmtok/s.lmt"
tok --force a.jsonl b.jsonl > err
cmp <(lmcat --json --ids s.lmt) <(lmcat --json --ids "$LM_SRC/tests/golden/store-v1/lmtok/s.lmt")
