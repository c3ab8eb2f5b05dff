# Inputs that lmtrain refuses, and the messages.
shape() { cat >shape.json <<JSON
{ "model_type": "llama", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
  "num_attention_heads": 2, "vocab_size": ${1:-512} ${2:-} }
JSON
}
try() { local status=0; lmtrain "$@" 2>&1 | sed 's/ (lmtrain --help lists the options)//' || status=$?; echo "exit $status"; }
shape
try --init shape.json --data shards -o out
try --data shards -o out -n 1K
try --init shape.json --data shards -o out -n 1K --keep-attention
try --init shape.json --data shards -o out -n 1K --offload optimizer,weights
try --init shape.json --data shards -o out -n 1K --offload checkpoints
try --init shape.json --data shards -o out -n 1K
try --init llama3-8b --data shards -o out -n 1K
. "$LM_SRC/tests/cli/model.bash"
lmsynth --bytes 60K | lmtok -q -m stories/tokenizer.model -o train.lmt -
lmpack -q -L 256 -o shards train.lmt
try --init shape.json --data shards -o out -n 1K --seq-len 300
try --init shape.json --data shards -o out -n 1K --seq-len 100
shape 511
try --init shape.json --data shards -o out -n 1K
shape 512 ', "rope_scaling": { "type": "magic", "factor": 2 }'
try --init shape.json --data shards -o out -n 1K
cp -r stories broken
if [ -n "${real:-}" ]; then cut=500000 room=400; else cut=130000 room=200; fi
python3 - <<'PY'
import json, struct
data = open("stories/model.safetensors", "rb").read()
n, = struct.unpack_from("<Q", data)
head = json.loads(data[8:8 + n])
def write(path, edit):
    h = {k: dict(v) for k, v in head.items()}
    edit(h)
    text = json.dumps(h).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data[8 + n:])
def rename(h): h["model.norm.bias"] = h.pop("model.norm.weight")
def reshape(h): h["model.norm.weight"]["shape"] = [h["model.norm.weight"]["shape"][0] // 8, 8]
write("renamed.safetensors", rename)
write("reshaped.safetensors", reshape)
PY
cp renamed.safetensors broken/model.safetensors
try --model broken --data shards -o out -n 1K
cp reshaped.safetensors broken/model.safetensors
try --model broken --data shards -o out -n 1K
head -c $cut stories/model.safetensors >broken/model.safetensors
try --model broken --data shards -o out -n 1K
rm broken/model.safetensors
try --model broken --data shards -o out -n 1K
try --init llama2-70b --data shards -o out -n 1K -L 256 | sed 's/[0-9]* MiB/N MiB/g'
# No space for a checkpoint: less than its first file needs. No file that looks complete is left.
(trap '' XFSZ; ulimit -f $room; try --model stories --data shards -o full -n 1K -b 256 | sed 's/checkpoint-[0-9]*\.partial/CHECKPOINT/')
ls full | grep -v -e log.jsonl -e started.json || echo "nothing but the log"
