# A line that is not a document: file, line and byte are reported, the exit status is 1, and no
# store is written. Of several bad lines the first is reported, with any number of threads.
. "$LM_SRC/tests/cli/lmtok/model.bash"
good='{"text": "a good line", "meta": {"redpajama_set_name": "RedPajamaC4"}}'
printf '%s\n' "$good" "$good" '{"text": 7}' "$good" 'rubbish' > in.jsonl
{ # several chunks
    for i in {1..20000}; do echo "$good"; done
    cat in.jsonl
    for i in {1..20000}; do echo "$good"; done
    echo rubbish
} > long.jsonl
for j in 1 2 4; do
    lmtok -j $j -m m.model -o s$j.lmt in.jsonl 2>&1 && exit 1 || [ $? = 1 ]
    lmtok -j $j -m m.model -o l$j.lmt long.jsonl 2>&1 && exit 1 || [ $? = 1 ]
    [ ! -e s$j.lmt ] && [ ! -e l$j.lmt ]
    lmtok -j $j -m m.model < in.jsonl 2>&1 > out && exit 1 || [ $? = 1 ]
    lmcheck -q out 2> err && exit 1 # nor does the partial output look complete
done 2>&1
# After the line is repaired, the run resumes and gives the same store.
sed '3d;5d' in.jsonl > mended && mv mended in.jsonl
lmtok -m m.model -o s1.lmt in.jsonl
lmtok -m m.model -o fresh.lmt in.jsonl
cmp s1.lmt fresh.lmt

# Each invalid line alone after a valid one: those of tests/data, and of the real data if available.
python3 "$LM_SRC/tests/data/odd.py" .
[ -z "$LM_DATA" ] || cat "$LM_DATA/odd-invalid.jsonl" >> odd-invalid.jsonl
lines=$(wc -l < odd-invalid.jsonl)
for n in $(seq "$lines"); do
    { echo "$good"; sed -n "${n}p" odd-invalid.jsonl; } > odd.jsonl
    lmtok -m m.model -o odd.lmt odd.jsonl 2> err && { echo "line $n is accepted"; exit 1; } || [ $? = 1 ]
    grep -Eq '^lmtok: odd.jsonl:2: byte [0-9]+: .' err || { echo "line $n:"; cat err; exit 1; }
    [ ! -e odd.lmt ]
    rm odd.lmt.partial
done
