# Odd but valid documents, and those that readers treat differently, with the real vocabulary: the ids
# of SentencePiece itself. docs/jsonl.md says what becomes of each borderline line.
[ -n "$LM_DATA" ] || { echo "skipped: the test data folder is absent"; exit 77; }
model=$LM_DATA/llama2/tokenizer.model
lmtok -j 2 -m "$model" -o odd.lmt "$LM_DATA/odd.jsonl" 2>&1 | sed "s|$LM_DATA/||"
lmtok -m "$model" --reference -o reference.lmt "$LM_DATA/odd.jsonl" 2> err
cmp odd.lmt reference.lmt
lmcheck -q odd.lmt
for r in '' --reference; do
    lmtok $r -m "$model" --bad-lines quarantine:bad$r -o b$r.lmt "$LM_DATA/odd-borderline.jsonl" 2>&1 |
        sed "s|$LM_DATA/||"
done
cmp b.lmt b--reference.lmt
cmp bad bad--reference
lmcheck -q b.lmt
lmcat --json b.lmt | sed 's/"file":"[^"]*",//'
lmcat --text -m "$model" b.lmt | iconv -f UTF-8 -t UTF-8 > /dev/null # no invalid UTF-8 came of it
