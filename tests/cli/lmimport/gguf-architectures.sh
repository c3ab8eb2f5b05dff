# Names, shapes, order of rows and configuration of each architecture, on tiny models.
command -v python3 >/dev/null || { echo "python3 is absent"; exit 77; }
tests=$LM_SRC/tests/cli/lmimport
python3 "$tests/gguf.py" archs models
for name in llama llama-bias qwen2 qwen3 linear yarn llama3.1 llama3.2 llama3-own by-layer; do
    lmimport -q gguf models/$name.gguf -o $name
    PYTHONPATH=$tests python3 - $name <<'PY'
import json, struct, sys
import gguf
name = sys.argv[1]
known = {"llama": {}, "llama-bias": {"bias": True, "tied": False}, "qwen2": {"arch": "qwen2", "layers": 2},
         "qwen3": {"arch": "qwen3", "head": 8, "tied": False}, "yarn": {"arch": "qwen2"}}
options = known.get(name, {"head": 64} if "llama3" in name else {})
source = gguf.tiny(**options).tensors
config = json.load(open(f"{name}/config.json"))
data = open(f"{name}/model.safetensors", "rb").read()
size, = struct.unpack_from("<Q", data)
header = json.loads(data[8:8 + size])
gguf.LAYER.update({"self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm"})
del header["__metadata__"]
for tensor, t in header.items():
    shape, _, content = source.pop(gguf.gguf_name(tensor))
    assert list(shape) == t["shape"], tensor
    width = len(content) // shape[0]
    rows = [content[i * width:(i + 1) * width] for i in range(shape[0])]
    got = data[8 + size:][slice(*t["data_offsets"])]
    got = [got[i * width:(i + 1) * width] for i in range(shape[0])]
    heads = config["num_attention_heads" if "q_proj" in tensor else "num_key_value_heads"]
    if config["model_type"] == "llama" and ("q_proj" in tensor or "k_proj" in tensor): got = gguf.permute(got, heads)
    assert got == rows, tensor
assert not source
print("--", name)
print(*(n + str(t["shape"]).replace(" ", "") for n, t in header.items()), sep="\n")
print(json.dumps(config))
PY
done
lmcheck -q llama qwen3
