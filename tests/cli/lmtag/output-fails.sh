# A full disk, a closed pipe, a missing folder.
seq 100000 | sed 's/.*/{"text": "line & of some text", "domain": "C4"}/' > a.jsonl
if [ -e /dev/full ]; then
    lmtag a.jsonl > /dev/full 2> err && exit 1 || [ $? = 1 ]
    grep -q 'standard output: cannot write: No space left' err
    head -n 1 a.jsonl | lmtag > /dev/full 2> err && exit 1 || [ $? = 1 ]
    lmtag -o /dev/full a.jsonl 2> err && exit 1 || [ $? = 1 ]
fi
{ lmtag a.jsonl 2> err || echo $? > status; } | head -n 1 > first
[ "$(cat status)" = 141 ]
head -n 1 a.jsonl | cmp - first
lmtag -o no/folder/out a.jsonl 2> err && exit 1 || [ $? = 1 ]
grep -q 'no/folder/out' err
echo old > kept.jsonl
printf 'broken' >> a.jsonl
lmtag -o kept.jsonl a.jsonl 2> err && exit 1 || [ $? = 1 ]
[ "$(cat kept.jsonl)" = old ]
