# Odd but valid documents, and those that readers treat differently, with a full vocabulary: the ids
# equal SentencePiece's. docs/jsonl.md defines the result of each borderline line.
. "$LM_SRC/tests/cli/odd.bash"
lmtok -j 2 -m "$model" -o odd.lmt "$odd/odd.jsonl" 2>&1 | sed "s|$odd/||"
lmtok -m "$model" --reference -o reference.lmt "$odd/odd.jsonl" 2> err
cmp odd.lmt reference.lmt
lmcheck -q odd.lmt
for r in '' --reference; do
    lmtok $r -m "$model" --bad-lines quarantine:bad$r -o b$r.lmt "$odd/odd-borderline.jsonl" 2>&1 |
        sed "s|$odd/||"
done
cmp b.lmt b--reference.lmt
cmp bad bad--reference
lmcheck -q b.lmt
lmcat --json b.lmt | sed 's/"file":"[^"]*",//'
lmcat --text -m "$model" b.lmt | iconv -f UTF-8 -t UTF-8 > /dev/null # the output is valid UTF-8
