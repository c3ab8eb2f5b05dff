# The tokenizer.json of LLaMA-2's vocabulary gives our ids: real text, odd documents, runs of spaces.
[ -n "$LM_DATA" ] || { echo "no real data (LM_DATA)"; exit 77; }
command -v python3 >/dev/null || { echo "python3 is absent"; exit 77; }
model=$LM_DATA/llama2/tokenizer.model
{
    python3 -c '
import json
for n in range(60): print(json.dumps({"text": " " * n + "a" + " " * n + "b\n" + " " * n}))'
    awk 'length($0) < 400' "$LM_DATA/odd.jsonl"
    zstd -dcq "$LM_DATA/slimpajama-sample/valid-00000.jsonl.zst" 2>/dev/null | awk 'length($0) < 600' | head -n 30
} >odd.jsonl || true
echo '{ "model_type": "llama", "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1,
    "num_attention_heads": 2, "vocab_size": 32000 }' >shape.json
lmtok -q --no-bos -m "$model" -o t.lmt odd.jsonl
lmpack -q -L 64 -o shards t.lmt
lmtrain -q --init shape.json --data shards -b 64 -n 64 -o first
cp "$model" first/
lmtrain -q --model first --data shards -b 64 -n 64 -o second
lmcheck -q second | tail -n 1
lmcat --ids t.lmt >got
python3 "$LM_SRC/tests/cli/train/bpe.py" second <odd.jsonl >want
[ $(wc -l <got) -gt 80 ]
cmp want got && echo "the same ids"
