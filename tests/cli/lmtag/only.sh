# --only keeps the named domains, in the order of the input.
for d in ArXiv C4 Book RedPajamaC4 Other; do echo "{\"text\":\"$d\",\"domain\":\"$d\"}"; done > in.jsonl
lmtag --only c4,ARXIV in.jsonl
echo --
lmtag --only unknown in.jsonl
lmtag --only C4,Nobody in.jsonl 2> err && exit 1 || [ $? = 2 ]
grep -q 'no domain is named "Nobody"' err
lmtag --only '' in.jsonl 2> err && exit 1 || [ $? = 2 ]
