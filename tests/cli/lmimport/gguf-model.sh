# A model in GGUF, with the rows of q and k permuted as llama.cpp keeps them, becomes the directory that the same model
# has from elsewhere: the same weights and tokenizer, byte for byte; in one file or in three, in float32 and in 16 bits.
command -v python3 >/dev/null || { echo "python3 is absent"; exit 77; }
data=$LM_SRC/tests/data gguf=$LM_SRC/tests/cli/lmimport/gguf.py
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o stories
python3 "$gguf" stories stories stories.gguf
python3 "$gguf" split stories parts
# What lies in the directory of another model goes.
mkdir one
echo '{}' | tee one/added_tokens.json one/generation_config.json one/special_tokens_map.json >/dev/null
lmimport gguf stories.gguf -o one
lmimport gguf parts-00001-of-00003.gguf -o three
for file in model.safetensors tokenizer.model tokenizer.json; do
    cmp stories/$file one/$file
    cmp one/$file three/$file
done
ls one
cat one/config.json one/tokenizer_config.json
lmcheck one
lmgen -q --model one -n 20 'Once upon a time' >one.txt
lmgen -q --model stories -n 20 'Once upon a time' | cmp - one.txt

echo "-- 16 bits"
for type in F16 BF16; do
    python3 "$gguf" stories stories $type.gguf $type
    lmimport -v gguf $type.gguf -o $type 2>&1 | sed '/ cpu/d'
    lmimport gguf --dtype float32 $type.gguf -o wide
    # Matrices are the bits of the file, norms are still in float32.
    python3 - $type <<'PY'
import json, struct, sys
def read(path):
    data = open(path, "rb").read()
    n, = struct.unpack_from("<Q", data)
    return {k: (v["dtype"], v["shape"], data[8 + n:][slice(*v["data_offsets"])])
            for k, v in json.loads(data[8:8 + n]).items() if k != "__metadata__"}
def wide(dtype, b):
    if dtype == "F32": return struct.unpack(f"<{len(b) // 4}f", b)
    if dtype == "F16": return struct.unpack(f"<{len(b) // 2}e", b)
    return struct.unpack(f"<{len(b) // 2}f", b"".join(b"\0\0" + b[i:i + 2] for i in range(0, len(b), 2)))
kind = sys.argv[1]
a, b, f = read(f"{kind}/model.safetensors"), read("wide/model.safetensors"), read("one/model.safetensors")
assert list(a) == list(b)
for name, (dtype, shape, data) in a.items():
    assert dtype == (kind if len(shape) == 2 else "F32") and b[name][0] == "F32", name
    x, y, z = wide(dtype, data), wide("F32", b[name][2]), wide("F32", f[name][2])
    assert x == y
    assert all(abs(p - q) <= abs(q) / 128 + 1e-7 for p, q in zip(x, z)), name
PY
    lmgen -q --model $type -n 5 'Once upon a time' | head -c 20
    echo
done
lmimport gguf --dtype bfloat16 stories.gguf -o narrow
wc -c <narrow/model.safetensors
grep dtype narrow/config.json

echo "-- usage"
for args in gguf "gguf a b -o c" "gguf a" "safetensors a -o b" "llama2c a b --dtype float16 -o c"; do
    lmimport $args 2>&1 || echo "exit $?"
done
