#!/bin/bash
# Generate files of this folder with the programs of a build: tests/data/make.sh [BUILD [WHAT...]]. The results
# are committed; tests do not run this script.
#   tokenizer   tokenizer.model: 512 pieces (SentencePiece BPE with byte fallback, as LLaMA's)
#   texts       stories.jsonl.zst, stories.jsonl.gz
#   model       stories66K.bin, tok512.bin: a model of the shape tiny.json, in llama2.c's format
set -eu -o pipefail
data=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-build}" && pwd)
shift || true
export PATH="$build/bin:$PATH" LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stories() { awk -f "$data/stories.awk" -v seed="$1" -v stories="$2" -v json="${3:-}"; }

make_tokenizer() {
    { stories 1 100
      cat "$data"/essays/*.txt
      lmsynth -q --bytes 60K --seed 1 |
          sed -e 's/^{"text": "//; s/", "meta".*//; s/\\n/\n/g; s/\\"/"/g; s/\\\\/\\/g'; } >"$work/sample.txt"
    spm_train --input="$work/sample.txt" --model_prefix="$work/tokenizer" --model_type=bpe --vocab_size=512 \
        --byte_fallback=true --normalization_rule_name=identity --remove_extra_whitespaces=false \
        --split_digits=true --character_coverage=0.98 --num_threads=1 --max_sentence_length=100000 \
        >"$work/log" 2>&1 || { tail "$work/log" >&2; exit 1; }
    cp "$work/tokenizer.model" "$data"
}

make_texts() {
    stories 2 80 1 | zstd -19 -qc >"$data/stories.jsonl.zst"
    stories 3 40 1 | gzip -9nc >"$data/stories.jsonl.gz"
}

# 12 million tokens, most of them of stories: about five minutes. The number of threads does not change the
# result, another BLAS or processor may.
make_model() {
    mkdir "$work/corpus"
    stories 11 10000 1 >"$work/corpus/stories.jsonl"
    lmsynth -q --bytes 4M --seed 11 >"$work/corpus/synth.jsonl"
    python3 -c '
import json, sys
for _ in range(20):
    for name in sys.argv[1:]: print(json.dumps({"text": open(name, encoding="utf-8").read()}))
' "$data"/essays/*.txt >"$work/corpus/essays.jsonl"
    lmtok -q -m "$data/tokenizer.model" -o "$work/corpus.lmt" "$work/corpus"
    lmpack -q -L 512 --labels -o "$work/shards" "$work/corpus.lmt"
    lmtrain -q --init "$data/tiny.json" --data "$work/shards" -o "$work/model" -b 8K -n 12M --lr 4e-3 \
        --schedule cosine --warmup 200K --min-lr 1e-4
    python3 - "$work/model" "$data" <<'PY'
import json, struct, sys
model, data = sys.argv[1:]

# The weights, in the order of llama2.c's first format.
config = json.load(open(f"{model}/config.json"))
raw = open(f"{model}/model.safetensors", "rb").read()
size, = struct.unpack_from("<Q", raw)
head = json.loads(raw[8:8 + size])
def tensor(name):
    entry = head[name]
    assert entry["dtype"] == "F32", entry
    begin, end = entry["data_offsets"]
    return raw[8 + size + begin:8 + size + end]
def rotary(name, heads):
    """Reorder the rows of a head from halves (Hugging Face) to adjacent pairs."""
    rows, cols = head[name]["shape"]
    each, t = rows // heads, tensor(name)
    order = [h * each + i // 2 + i % 2 * (each // 2) for h in range(heads) for i in range(each)]
    return b"".join(t[4 * cols * r:4 * cols * (r + 1)] for r in order)
dim, layers, heads = config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"]
kv, length = config["num_key_value_heads"], config["max_position_embeddings"]
each = ["model.layers.%d." % i for i in range(layers)]
out = [struct.pack("<7i", dim, config["intermediate_size"], layers, heads, kv, config["vocab_size"], length),
       tensor("model.embed_tokens.weight")]
out += [tensor(l + "input_layernorm.weight") for l in each]
out += [rotary(l + "self_attn.q_proj.weight", heads) for l in each]
out += [rotary(l + "self_attn.k_proj.weight", kv) for l in each]
out += [tensor(l + f"self_attn.{x}_proj.weight") for x in "vo" for l in each]
out += [tensor(l + "post_attention_layernorm.weight") for l in each]
out += [tensor(l + f"mlp.{x}_proj.weight") for x in ("gate", "down", "up") for l in each]
out += [tensor("model.norm.weight"), bytes(4 * length * (dim // heads))]
open(f"{data}/stories66K.bin", "wb").write(b"".join(out))

# The pieces, from SentencePiece's ModelProto: field 1 of each piece is its text, field 2 its score.
def fields(b):
    i = 0
    def varint():
        nonlocal i
        value = shift = 0
        while True:
            byte = b[i]
            i += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128: return value
    while i < len(b):
        key = varint()
        if key & 7 == 2:
            n = varint()
            value, i = b[i:i + n], i + n
        elif key & 7 == 5:
            value, i = b[i:i + 4], i + 4
        else:
            value = varint()
        yield key >> 3, value
pieces = []
for number, value in fields(open(f"{data}/tokenizer.model", "rb").read()):
    if number == 1:
        piece = dict(fields(value))
        text = piece[1].decode().replace("\u2581", " ").encode()
        if text in (b"<s>", b"</s>"): text = b"\n" + text + b"\n"
        pieces.append(piece.get(2, bytes(4)) + struct.pack("<i", len(text)) + text)
longest = max(len(p) - 8 for p in pieces)
open(f"{data}/tok512.bin", "wb").write(struct.pack("<i", longest) + b"".join(pieces))
PY
}

[ $# -gt 0 ] || set -- tokenizer texts model
for what in "$@"; do make_"$what"; done
