# Every odd document is read, at its place.
[ -n "$LM_DATA" ] || { echo "no test data" >&2; exit 77; }
lmtag "$LM_DATA"/odd.jsonl > out 2> err
wc -l < out
sed 's/^\([ \t]*{\)"domain":"[A-Za-z0-9]*",/\1/' out | cmp - "$LM_DATA"/odd.jsonl
cat err
