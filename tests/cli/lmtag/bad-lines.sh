# A bad line stops the run by default, and no output looks complete; quarantine keeps its bytes.
printf '{"text":"a","domain":"C4"}\n{"text":7}\n{"text":"b","domain":"C4"}\nnul\0 \xff\n{"text":"c' > in.jsonl
lmtag -o out.jsonl in.jsonl 2> err && exit 1 || [ $? = 1 ]
[ ! -e out.jsonl ] && [ ! -e out.jsonl.longmix.tmp ]
cat err
for j in 1 3; do
    lmtag -j $j --bad-lines quarantine:bad.txt in.jsonl > out.jsonl 2> err
    cat out.jsonl err
    sed -n '2p;4,5p' in.jsonl > want
    echo >> want # the last line had no line feed
    cmp bad.txt want
done 2>&1
lmtag --bad-lines quarantine: in.jsonl 2> err && exit 1 || [ $? = 2 ]
lmtag --bad-lines skip in.jsonl 2> err && exit 1 || [ $? = 2 ]
lmtag --bad-lines quarantine:no/folder/q in.jsonl 2> err && exit 1 || [ $? = 1 ]
lmtag < in.jsonl > /dev/null 2> err && exit 1 || [ $? = 1 ]
grep -o 'stdin:2: byte 35' err
# A run that fails leaves no quarantine file that looks complete either.
printf '{"text":1}\n' | zstd -qc | head -c 15 > cut.jsonl.zst
lmtag --bad-lines quarantine:q2 in.jsonl cut.jsonl.zst > /dev/null 2>&1 && exit 1 || [ $? = 1 ]
[ ! -e q2 ] && [ ! -e q2.longmix.tmp ]
