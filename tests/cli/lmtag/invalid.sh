# --invalid replace: lone surrogates, bytes that are not UTF-8, NaN and infinities do not cost the document.
model=$LM_SRC/tests/data/tokenizer.model
printf '%s\n' '{"text":"a\ud800b"}' '{"text":"c","x":NaN,"y":[Infinity,-Infinity]}' \
    '{"text":"d","domain":"C4\udc00"}' '{"text":"good\ud83d\ude00"}' '{"text":7,"x":NaN}' > in.jsonl
printf '{"text":"e\xffé\xe2\x82"}\n' >> in.jsonl
for j in 1 3; do
    lmtag -j $j --bad-lines quarantine:bad.txt in.jsonl 2> err > out
    [ "$(wc -l < out)" = 1 ] && [ "$(grep -c in.jsonl: err)" = 5 ]
    rm bad.txt
    lmtag -j $j --invalid replace --bad-lines quarantine:bad.txt in.jsonl
    cat bad.txt
    rm bad.txt
done 2>&1
lmtag -q --invalid replace --bad-lines quarantine:q in.jsonl | python3 -c '
import json, sys
def no(s): raise ValueError(s)
for line in sys.stdin: json.loads(line, parse_constant=no)["text"].encode()'
lmtag --invalid stop in.jsonl > /dev/null 2>&1 && exit 1 || [ $? = 1 ]
sed -i 5d in.jsonl
lmtok -m "$model" --invalid replace in.jsonl 2> err | lmcat --text -m "$model" - > text
lmtag -q --invalid replace in.jsonl | lmtok -q -m "$model" - | lmcat --text -m "$model" - | cmp - text
cat text
grep -x 'lmtok: documents with characters or numbers replaced: 4' err
lmhist --tsv --invalid replace in.jsonl | cut -f 2-5
lmhist in.jsonl > /dev/null 2>&1 && exit 1 || [ $? = 1 ]
