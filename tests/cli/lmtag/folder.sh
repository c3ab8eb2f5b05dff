# JSON lines are found by content under any name; what a folder holds otherwise is counted, and named
# with -v. Nothing but regular files is opened.
mkdir -p d/sub d/.cache
doc() { echo "{\"text\":\"$1\",\"domain\":\"C4\"}"; }
doc 1 > d/A.JSONL; doc 2 > d/b.json; doc 3 > d/c.ndjson; doc 4 | gzip > d/d.json.gz
doc 5 | zstd -qc > d/e.jsonl.zstd; doc 6 | bzip2 > d/f; doc 7 | xz > d/g.txt; doc 8 > d/sub/h
printf 'PAR1' > d/x.parquet; printf 'PAR1' > d/sub/y.parquet
echo '{"rows":8}' > d/dataset_info.json; doc 9 > d/.cache/i.jsonl; doc 10 > d/j.jsonl.part
mkfifo d/k.jsonl; ln -s nowhere d/l.jsonl
want() { for i in 1 2 3 4 5 6 7 8; do doc $i; done; }
timeout 20 lmtag d 2> err | cmp - <(want)
sed 's/^lmtag: //' err
timeout 20 lmtag -v d 2>&1 > /dev/null | grep 'not read' | sed 's/^lmtag: //'
timeout 20 lmhist -v --tsv d 2> err | cut -f 1-5
grep -c 'not read: ' err
lmtok -q -m "$LM_SRC/tests/data/tokenizer.model" d | lmcat --text -m "$LM_SRC/tests/data/tokenizer.model" - > text
[ "$(tr -d '\n ' < text)" = 12345678 ] || { cat text; exit 1; }
# A folder without JSON lines says what it holds and what would help.
mkdir e; cp d/x.parquet e; echo notes > e/notes.txt
for tool in lmtag "lmtok -m $LM_SRC/tests/data/tokenizer.model" lmhist; do
    $tool e 2>&1 > /dev/null && exit 1 || [ $? = 2 ]
done
echo '{"content":"a"}' > e/a.jsonx
lmtag e 2>&1 && exit 1 || [ $? = 2 ]
lmtag -q --text-key content e
