# Standard input and files, plain, gzip, zstd, bz2, xz in one and many frames, in folders: the same lines.
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
for p in part.*; do bzip2 -c "$p"; done > streams
lmtag streams | cmp - a.jsonl
for p in part.*; do xz -c "$p"; head -c 4 /dev/zero; done | lmtag | cmp - a.jsonl
{ gzip -c a.jsonl; head -c 512 /dev/zero; } | lmtag | cmp - a.jsonl
zstd -q --long=27 -c a.jsonl | lmtag | cmp - a.jsonl
mkdir -p d/sub
gzip -c part.ac > d/sub/3.jsonl.gz
zstd -qc part.aa > d/1.jsonl.zst
cp part.ab d/2.jsonl
echo "no JSON lines" > d/other.txt
lmtag d 2> err | cmp - a.jsonl
grep -qx "lmtag: 1 file in the folders is not read (1 not JSON lines); -v names them" err
lmtag < /dev/null | cmp - /dev/null
lmtag -o out.jsonl.zst a.jsonl
zstd -qdc out.jsonl.zst | cmp - a.jsonl
lmtag -o /dev/stdout a.jsonl | cmp - a.jsonl
