# With many faults in many chunks and files, the first in input order is reported.
seq 200000 | sed 's/.*/{"text": "line & of some text", "domain": "C4"}/' > a.jsonl
sed '30000,$ s/^{\(.*[05]\) of/[\1 of/' a.jsonl > b.jsonl
zstd -q a.jsonl
head -c 5000 a.jsonl.zst > cut.jsonl.zst
for i in 1 2 3 4 5 6; do
    lmtag -j 4 a.jsonl b.jsonl cut.jsonl.zst > /dev/null 2> err && exit 1
    cat err
done | sort -u
