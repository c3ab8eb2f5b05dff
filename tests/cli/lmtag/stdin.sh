# Standard input and files, plain, gzip, zstd in one and many frames, in folders: the same lines.
for i in 1 2 3; do echo "{\"text\": \"line $i\", \"domain\": \"C4\"}"; done > a.jsonl
lmtag < a.jsonl | cmp - a.jsonl
lmtag - < a.jsonl | cmp - a.jsonl
gzip -c a.jsonl | lmtag | cmp - a.jsonl
zstd -qc a.jsonl | lmtag | cmp - a.jsonl
split -l 1 a.jsonl part.
for p in part.*; do zstd -qc "$p"; done > frames
lmtag frames | cmp - a.jsonl
for p in part.*; do gzip -c "$p"; done > members
lmtag members | cmp - a.jsonl
zstd -q --long=27 -c a.jsonl | lmtag | cmp - a.jsonl
mkdir -p d/sub
gzip -c part.ac > d/sub/3.jsonl.gz
zstd -qc part.aa > d/1.jsonl.zst
cp part.ab d/2.jsonl
cp part.ab d/other.txt
lmtag d | cmp - a.jsonl
lmtag < /dev/null | cmp - /dev/null
lmtag -o out.jsonl.zst a.jsonl
zstd -qdc out.jsonl.zst | cmp - a.jsonl
lmtag -o /dev/stdout a.jsonl | cmp - a.jsonl
