# Every unusual document is read, in order.
. "$LM_SRC/tests/cli/odd.bash"
lmtag "$odd"/odd.jsonl > out 2> err
wc -l < out
sed 's/^\([ \t]*{\)"domain":"[A-Za-z0-9]*",/\1/' out | cmp - "$odd"/odd.jsonl
cat err
