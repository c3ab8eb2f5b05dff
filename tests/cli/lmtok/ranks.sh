# Rank files and tekken.json: the ids of tiktoken and mistral-common (tests/parity/ranks_data.py), a store
# that records --special-text, the text back, and what is refused.
data=$LM_SRC/tests/data/ranks
lmtok -q -m "$data/small.tiktoken" --pattern llama3 -o t.lmt "$data/texts.jsonl"
lmcat --ids t.lmt | cmp - "$data/small.tiktoken.ids"
lmtok -q -m "$data/small.tiktoken" --pattern llama3 --reference "$data/texts.jsonl" | lmcat --ids - | cmp - "$data/small.tiktoken.ids"
lmtok -q -m "$data" --no-bos --check-every 1 -o k.lmt "$data/texts.jsonl"
lmcat --ids k.lmt | cmp - "$data/tekken.json.ids"
lmcat --json --text -m "$data" k.lmt | python3 -c '
import json, sys
want = [json.loads(line)["text"] for line in open(sys.argv[1])]
print([json.loads(line)["text"] for line in sys.stdin] == want)' "$data/texts.jsonl"
{ lmcat --text -m "$data/small.tiktoken" --pattern gpt2 t.lmt 2>&1 || true; } | sed 's/hash [0-9a-f]*/hash H/; s#'"$data"'#D#'
echo "-- found"
lmtok -v -m "$data" "$data/texts.jsonl" 2>&1 >x.lmt | grep tekken.json: | sed 's#'"$data"'#D#'
lmtok -v -m "$data/small.tiktoken" --pattern '[a-z]+|\s+|[^a-z\s]+' "$data/texts.jsonl" 2>&1 >x.lmt | grep -c 'slowly:'
echo "-- special tokens"
echo '{"text":"<s>[INST] a [/INST]</s>"}' >s.jsonl
lmtok -q -m "$data" -o keep.lmt s.jsonl
lmtok -q -m "$data" --special-text parse -o parse.lmt s.jsonl
lmcat --ids keep.lmt | wc -w
lmcat --ids parse.lmt
for s in keep parse; do grep -ao '"special_text": *"[a-z]*"' $s.lmt || echo "$s: not recorded"; done
status=0; lmtok -q -m "$data" -o parse.lmt s.jsonl 2>&1 || status=$?; echo "exit $status"
echo "-- refused"
try() { local status=0; lmtok -q "$@" -o x.lmt "$data/texts.jsonl" >err 2>&1 || status=$?; sed 's#'"$data"'#D#' err; echo "exit $status"; }
try -m "$data/small.tiktoken"
try -m "$data/small.tiktoken" --pattern gpt9
try -m "$data" --pattern gpt2
head -100 "$data/small.tiktoken" >cut.tiktoken && echo 'QUI= 700' >>cut.tiktoken && try -m cut.tiktoken --pattern gpt2
try -m "$data/texts.jsonl"
