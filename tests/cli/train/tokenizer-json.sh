# The tokenizer.json that lmimport and lmtrain write gives our ids (make parity compares with transformers), where
# one can; what a model has of its own stays; a model whose tokenizer cannot be expressed says so.
data=$LM_SRC/tests/data
command -v python3 >/dev/null || { echo "python3 is absent"; exit 77; }
lmimport llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model
python3 - >odd.jsonl <<'PY'
import json, random
odd = ["a", " a", "  a", "a ", "a   b", " ", "   ", "\n", " \n ", "\t", "Once  upon   a time ", "\u2581a", "caf\u00e9",
       "\u6d77", "\U0001f600 \U0001f600", "<s>", "<0x0A>", "anana", "hahahaha", "aaaaa"]
odd += [" " * n + "a" for n in range(40)] + ["a" + " " * n for n in range(40)]
r = random.Random(1)
odd += ["".join(r.choice(" abcdehnorst \n\u2581.,T\u00e9") for _ in range(r.randrange(1, 30))) for _ in range(500)]
for text in odd: print(json.dumps({"text": text}))
PY
check() { # DIR
    lmtok -q --no-bos -m $1/tokenizer.model -o $1.lmt odd.jsonl
    lmcat --ids $1.lmt >got
    python3 "$LM_SRC/tests/cli/train/bpe.py" $1 <odd.jsonl >want
    wc -l <got
    cmp want got
    lmtok -q --no-bos -m $1/tokenizer.json -o $1.json.lmt odd.jsonl
    lmcat --ids $1.json.lmt >got
    cmp want got
}
member() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get(sys.argv[2]))' "$@"; }
echo "-- lmimport"
check model
member model/tokenizer_config.json tokenizer_class
echo "-- lmtrain, from a directory as the hub has it"
echo '{"tokenizer_class":"LlamaTokenizer","bos_token":"<s>","model_max_length":77}' >model/tokenizer_config.json
rm model/tokenizer.json model/checksums.json
awk -f "$data/stories.awk" -v json=1 -v seed=1 -v stories=20 | lmtok -q -m model/tokenizer.model -o s.lmt -
lmpack -q -L 64 -o shards s.lmt
train() { lmtrain --model $1 --data shards -b 256 -n 256 -o $2 2>&1 | grep tokenizer || true; }
train model out
check out
for key in tokenizer_class model_max_length; do member out/tokenizer_config.json $key; done
lmcheck -q out | tail -n 1
echo "-- with tokens of its own"
sed 's/"added_tokens":\[/&{"id":512,"content":"<pad>"},/' out/tokenizer.json >model/tokenizer.json
train model pad
cmp model/tokenizer.json pad/tokenizer.json
member pad/tokenizer_config.json tokenizer_class
echo "-- the one of another model does not stay"
mkdir other
cp model/tokenizer.json other
rm model/tokenizer.json
train model other
grep -c '<pad>' other/tokenizer.json || true
echo "-- a model without tokenizer.model keeps what it has"
mkdir only
cp model/config.json model/model.safetensors only
cp "$data/huggingface/qwen2.json" only/tokenizer.json
echo '{"tokenizer_class":"Qwen2Tokenizer","eos_token":"<|end|>"}' >only/tokenizer_config.json
echo '{{ messages }}' >only/chat_template.jinja
awk -f "$data/stories.awk" -v json=1 -v seed=1 -v stories=20 | lmtok -q --no-bos -m only/tokenizer.json -o t.lmt -
lmpack -q -L 64 -o shards2 t.lmt
lmtrain --model only --data shards2 -b 256 -n 256 -o only.out 2>&1 | grep tokenizer.json || true
for f in tokenizer.json tokenizer_config.json chat_template.jinja; do cmp only/$f only.out/$f; done
ls only.out
lmcheck -q only.out | tail -n 1
echo "-- scores that are equal"
python3 - <<'PY'
data = open("model/tokenizer.model", "rb").read()
def fields(b):  # of a protocol buffer: key, value, bytes of both
    i = 0
    def varint():
        nonlocal i
        v = shift = 0
        while True:
            c = b[i]; i += 1; v |= (c & 127) << shift; shift += 7
            if c < 128: return v
    while i < len(b):
        at = i; key = varint()
        if key & 7 == 2: n = varint(); i += n; yield key >> 3, b[i - n:i], b[at:i]
        elif key & 7 == 5: i += 4; yield key >> 3, b[i - 4:i], b[at:i]
        else: yield key >> 3, varint(), b[at:i]
out, n = b"", 0
for number, value, raw in fields(data):
    if number == 1 and len(list(fields(value))[0][1].decode()) > 1 and n < 4 and b"<" not in value:
        n += 1
        value = b"".join(b"\x15\0\0\x80\xbf" if k == 2 else r for k, v, r in fields(value))
        raw = b"\x0a" + bytes([len(value)]) + value
    out += raw
open("equal.model", "wb").write(out)
PY
cp -r model equal
cp equal.model equal/tokenizer.model
lmtok -q -m equal.model -o s.lmt --force <(awk -f "$data/stories.awk" -v json=1 -v seed=1 -v stories=20) || true
rm -rf shards && lmpack -q -L 64 -o shards s.lmt
train equal none
ls none | grep tokenizer
