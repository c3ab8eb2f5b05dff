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
    rm bad.txt
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
# A file that is there is never replaced: lines of an earlier run, notes, an input under any name.
echo notes > notes.txt
ln -s in.jsonl link.jsonl
ln in.jsonl hard.jsonl
cp in.jsonl kept
for q in notes.txt in.jsonl link.jsonl hard.jsonl; do
    lmtag --bad-lines quarantine:$q in.jsonl > /dev/null 2> err && exit 1 || [ $? = 2 ]
    grep -q "^lmtag: $q: exists already" err
done
for o in in.jsonl link.jsonl hard.jsonl; do
    lmtag --bad-lines quarantine:q3 -o $o in.jsonl 2> err && exit 1 || [ $? = 2 ]
done
cmp in.jsonl kept && [ ! -e q3 ] && [ "$(cat notes.txt)" = notes ]
lmtag -q --bad-lines quarantine:/dev/null in.jsonl > /dev/null
# A file without one document is never passed over, wherever it stands.
printf '{"text":7}\n\nno\n' > none.jsonl
head -n 1 in.jsonl > good.jsonl
for j in 1 3; do
    for f in none.jsonl 'none.jsonl good.jsonl' 'good.jsonl none.jsonl' 'good.jsonl none.jsonl good.jsonl'; do
        lmtag -j $j --bad-lines quarantine:q4 -o out $f 2> err && exit 1 || [ $? = 1 ]
        grep -qx 'lmtag: none.jsonl: no line is a document, and 2 are invalid' err
        [ ! -e q4 ] && [ ! -e out ]
    done
done
printf '\n\n' > blank.jsonl
lmtag -q --bad-lines quarantine:q4 blank.jsonl good.jsonl | cmp - good.jsonl
