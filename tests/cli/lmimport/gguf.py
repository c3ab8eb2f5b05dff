#!/usr/bin/env python3
"""Write GGUF files for the tests, with nothing but the standard library.

usage: gguf.py stories DIR OUT [TYPE]     the model in DIR, a directory that lmimport wrote; TYPE: F32, F16, BF16
       gguf.py split DIR PREFIX           the same in three files
       gguf.py archs DIR                  a tiny model of each architecture and option, DIR/NAME.gguf
       gguf.py tokenizers DIR             a tiny model with each byte-level tokenizer
       gguf.py broken DIR                 files that are refused
"""
import json
import os
import struct
import sys

TYPES = {"u8": (0, "B"), "i8": (1, "b"), "u16": (2, "H"), "i16": (3, "h"), "u32": (4, "I"), "i32": (5, "i"),
         "f32": (6, "f"), "bool": (7, "?"), "str": (8, None), "arr": (9, None), "u64": (10, "Q"), "i64": (11, "q"),
         "f64": (12, "d")}
NUMBERS = {"F32": (0, 4), "F16": (1, 2), "BF16": (30, 2)}


def text(s):
    b = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<Q", len(b)) + b


def scalar(kind, v):
    return text(v) if kind == "str" else struct.pack("<" + TYPES[kind][1], v)


class File:
    """Keys: name to (kind, value), or ("arr", kind, values). Tensors: name to (shape, type, bytes), the shape as
    PyTorch has it."""

    def __init__(self):
        self.keys, self.tensors = {}, {}

    def floats(self, name, shape, values, kind="F32"):
        if kind == "F32": data = struct.pack(f"<{len(values)}f", *values)
        elif kind == "F16": data = struct.pack(f"<{len(values)}e", *values)
        else: data = b"".join(struct.pack("<f", v)[2:] for v in values)
        self.tensors[name] = (shape, NUMBERS[kind][0], data)

    def bytes(self, version=3, alignment=32):
        out = b"GGUF" + struct.pack("<IQQ", version, len(self.tensors), len(self.keys))
        for key, value in self.keys.items():
            out += text(key) + struct.pack("<I", TYPES[value[0]][0])
            if value[0] == "arr":
                out += struct.pack("<IQ", TYPES[value[1]][0], len(value[2]))
                out += b"".join(scalar(value[1], v) for v in value[2])
            else:
                out += scalar(*value)
        data = b""
        for name, (shape, kind, content) in self.tensors.items():
            data += bytes(-len(data) % alignment)
            out += text(name) + struct.pack("<I", len(shape))
            out += struct.pack(f"<{len(shape)}Q", *reversed(shape)) + struct.pack("<IQ", kind, len(data))
            data += content
        return out + bytes(-len(out) % alignment) + data

    def save(self, path, **options):
        with open(path, "wb") as f:
            f.write(self.bytes(**options))


# ---- a model of a directory ---------------------------------------------------------------------


def permute(rows, heads):
    """Rotary pairs (i, i + d/2) of each head become neighbours."""
    d = len(rows) // heads
    return [rows[h * d + i % 2 * d // 2 + i // 2] for h in range(heads) for i in range(d)]


def fields(b):
    """Of a protocol buffer: number, value."""
    i = 0

    def varint():
        nonlocal i
        v = shift = 0
        while True:
            c = b[i]
            i += 1
            v |= (c & 127) << shift
            shift += 7
            if c < 128: return v

    while i < len(b):
        key = varint()
        if key & 7 == 2:
            n = varint()
            i += n
            yield key >> 3, b[i - n:i]
        elif key & 7 == 5:
            i += 4
            yield key >> 3, b[i - 4:i]
        else:
            yield key >> 3, varint()


LAYER = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
         "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def gguf_name(name):
    fixed = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
             "lm_head.weight": "output.weight"}
    if name in fixed: return fixed[name]
    layer, part = name.removeprefix("model.layers.").split(".", 1)
    part, kind = part.rsplit(".", 1)
    return f"blk.{layer}.{LAYER[part]}.{kind}"


def read_dir(folder):
    config = json.load(open(f"{folder}/config.json"))
    data = open(f"{folder}/model.safetensors", "rb").read()
    size, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + size])
    tensors = {}
    for name, t in header.items():
        if name == "__metadata__": continue
        start, end = t["data_offsets"]
        tensors[name] = t["shape"], list(struct.unpack_from(f"<{(end - start) // 4}f", data, 8 + size + start))
    return config, tensors


def sentencepiece(f, path):
    tokens, scores, types = [], [], []
    for number, value in fields(open(path, "rb").read()):
        if number != 1: continue
        piece = dict(fields(value))
        tokens.append(piece[1].decode())
        scores.append(struct.unpack("<f", piece[2])[0])
        types.append(piece.get(3, 1))
    f.keys.update({"tokenizer.ggml.model": ("str", "llama"), "tokenizer.ggml.pre": ("str", "default"),
                   "tokenizer.ggml.tokens": ("arr", "str", tokens), "tokenizer.ggml.scores": ("arr", "f32", scores),
                   "tokenizer.ggml.token_type": ("arr", "i32", types), "tokenizer.ggml.bos_token_id": ("u32", 1),
                   "tokenizer.ggml.eos_token_id": ("u32", 2), "tokenizer.ggml.unknown_token_id": ("u32", 0),
                   "tokenizer.chat_template": ("str", "{% for m in messages %}{{ m['content'] }}{% endfor %}")})


def stories(folder, kind="F32"):
    config, tensors = read_dir(folder)
    f = File()
    f.keys = {"general.architecture": ("str", "llama"), "general.type": ("str", "model"),
              "general.name": ("str", "stories"), "llama.block_count": ("u32", config["num_hidden_layers"]),
              "llama.context_length": ("u32", config["max_position_embeddings"]),
              "llama.embedding_length": ("u32", config["hidden_size"]),
              "llama.feed_forward_length": ("u32", config["intermediate_size"]),
              "llama.attention.head_count": ("u32", config["num_attention_heads"]),
              "llama.attention.head_count_kv": ("u32", config["num_key_value_heads"]),
              "llama.attention.layer_norm_rms_epsilon": ("f32", config["rms_norm_eps"]),
              "llama.rope.dimension_count": ("u32", config["head_dim"]),
              "llama.rope.freq_base": ("f32", config["rope_theta"])}
    sentencepiece(f, f"{folder}/tokenizer.model")
    for name, (shape, values) in tensors.items():
        heads = config["num_attention_heads" if "q_proj" in name else "num_key_value_heads"]
        if "q_proj" in name or "k_proj" in name:
            rows = [values[i * shape[1]:(i + 1) * shape[1]] for i in range(shape[0])]
            values = [x for row in permute(rows, heads) for x in row]
        f.floats(gguf_name(name), shape, values, kind if len(shape) == 2 else "F32")
    return f


def split(folder, prefix):
    whole = stories(folder)
    names = list(whole.tensors)
    for k in range(3):
        f = File()
        if k == 0: f.keys.update(whole.keys)
        f.keys.update({"split.no": ("u16", k), "split.count": ("u16", 3), "split.tensors.count": ("i32", len(names))})
        f.tensors = {n: whole.tensors[n] for n in names[k::3]}
        f.save(f"{prefix}-{k + 1:05d}-of-00003.gguf")


# ---- tiny models --------------------------------------------------------------------------------


def numbers(seed, n):
    out = []
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) % (1 << 31)
        out.append((seed >> 8) / (1 << 22) - 1)
    return out


def tiny(arch="llama", bias=False, tied=True, vocab=8, head=4, layers=1):
    dim, mlp, heads, kv = 8, 12, 2, 1
    f = File()
    f.keys = {"general.architecture": ("str", arch), f"{arch}.block_count": ("u32", layers),
              f"{arch}.context_length": ("u32", 64), f"{arch}.embedding_length": ("u32", dim),
              f"{arch}.feed_forward_length": ("u32", mlp), f"{arch}.attention.head_count": ("u32", heads),
              f"{arch}.attention.head_count_kv": ("u32", kv),
              f"{arch}.attention.layer_norm_rms_epsilon": ("f32", 2.0 ** -17),
              f"{arch}.rope.freq_base": ("f32", 10000.0)}
    if head != dim // heads:
        f.keys[f"{arch}.attention.key_length"] = f.keys[f"{arch}.attention.value_length"] = ("u32", head)
    shapes = {"token_embd.weight": (vocab, dim)}
    for i in range(layers):
        b = f"blk.{i}."
        shapes.update({b + "attn_norm.weight": (dim,), b + "attn_q.weight": (heads * head, dim),
                       b + "attn_k.weight": (kv * head, dim), b + "attn_v.weight": (kv * head, dim),
                       b + "attn_output.weight": (dim, heads * head), b + "ffn_norm.weight": (dim,),
                       b + "ffn_gate.weight": (mlp, dim), b + "ffn_up.weight": (mlp, dim),
                       b + "ffn_down.weight": (dim, mlp)})
        if arch == "qwen2" or bias:
            shapes.update({b + "attn_q.bias": (heads * head,), b + "attn_k.bias": (kv * head,),
                           b + "attn_v.bias": (kv * head,)})
        if bias: shapes[b + "attn_output.bias"] = (dim,)
        if arch == "qwen3": shapes.update({b + "attn_q_norm.weight": (head,), b + "attn_k_norm.weight": (head,)})
    shapes["output_norm.weight"] = (dim,)
    if not tied: shapes["output.weight"] = (vocab, dim)
    for seed, (name, shape) in enumerate(shapes.items()):
        n = 1
        for k in shape: n *= k
        f.floats(name, shape, numbers(seed + 1, n))
    return f


def llama3_divisors(factor, original, head, base):
    out = []
    for i in range(head // 2):
        length = 2 * 3.141592653589793 * base ** (2 * i / head)
        smooth = (original / length - 1) / 3
        out.append(1 if length < original / 4 else factor if length > original else
                   1 / ((1 - smooth) / factor + smooth))
    return out


def archs(folder):
    tiny().save(f"{folder}/llama.gguf", version=2)
    tiny(bias=True, tied=False).save(f"{folder}/llama-bias.gguf")
    tiny("qwen2", layers=2).save(f"{folder}/qwen2.gguf", alignment=32)
    tiny("qwen3", head=8, tied=False).save(f"{folder}/qwen3.gguf")
    f = tiny()
    f.keys["general.alignment"] = ("u32", 64)
    f.keys["llama.rope.scaling.type"] = ("str", "linear")
    f.keys["llama.rope.scaling.factor"] = ("f32", 4.0)
    f.save(f"{folder}/linear.gguf", alignment=64)
    f = tiny("qwen2")
    f.keys["qwen2.rope.scaling.type"] = ("str", "yarn")
    f.keys["qwen2.rope.scaling.factor"] = ("f32", 4.0)
    f.keys["qwen2.rope.scaling.original_context_length"] = ("u32", 16)
    f.save(f"{folder}/yarn.gguf")
    for name, factor, original in (("llama3.1", 8, 8192), ("llama3.2", 32, 8192), ("llama3-own", 4, 512)):
        f = tiny(head=64)
        f.keys["llama.rope.freq_base"] = ("f32", 500000.0)
        f.floats("rope_freqs.weight", (32,), llama3_divisors(factor, original, 64, 500000.0))
        f.save(f"{folder}/{name}.gguf")
    f = tiny()
    f.keys["llama.attention.head_count_kv"] = ("arr", "i32", [1])
    f.save(f"{folder}/by-layer.gguf")


# ---- byte-level tokenizers ----------------------------------------------------------------------


def alphabet():
    """GPT-2's characters for the bytes 0 to 255."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) if b in plain else chr(256 + sum(c not in plain for c in range(b))) for b in range(256)]


MERGES = ["h e", "Ġ t", "Ġt he", "l l", "Ġ 1", "1 2", "Ġ Ġ", "o n", "Ċ Ċ", "Ġ a", "' s", "l o", "he ll", "hell o", "Ã ©",
          "! !"]


def byte_level(pre=None, specials=("<|endoftext|>",), front=False, user=("<think>",), extra=()):
    normal = alphabet() + [m.replace(" ", "") for m in MERGES] + list(extra)
    added = list(specials) + list(user)
    tokens = added + normal if front else normal + added
    kinds = {**{s: 3 for s in specials}, **{u: 4 for u in user}}
    f = tiny(vocab=len(tokens) + 4)
    f.keys.update({"tokenizer.ggml.model": ("str", "gpt2"), "tokenizer.ggml.tokens": ("arr", "str", tokens),
                   "tokenizer.ggml.token_type": ("arr", "i32", [kinds.get(t, 1) for t in tokens]),
                   "tokenizer.ggml.merges": ("arr", "str", MERGES),
                   "tokenizer.ggml.eos_token_id": ("u32", tokens.index(specials[0]))})
    if pre: f.keys["tokenizer.ggml.pre"] = ("str", pre)
    return f


PRES = ["default", "gpt-2", "smollm", "llama-bpe", "qwen2", "tekken", "gpt-4o", "deepseek-coder", "deepseek-v3"]


def tokenizers(folder):
    for pre in PRES:
        f = byte_level(pre, front=pre == "tekken", extra=("hello12",))
        if pre == "llama-bpe": f.keys["tokenizer.ggml.bos_token_id"] = f.keys["tokenizer.ggml.eos_token_id"]
        if pre == "gpt-2": f.keys["tokenizer.chat_templates"] = ("arr", "str", ["tool_use"])
        f.save(f"{folder}/{pre}.gguf")
    f = byte_level()
    f.keys["tokenizer.ggml.bos_token_id"] = ("u32", 65)
    f.keys["tokenizer.ggml.add_bos_token"] = f.keys["tokenizer.ggml.add_eos_token"] = ("bool", True)
    f.keys["tokenizer.chat_template"] = ("str", "{{ '\"\\n' }}\n\u00e9")
    f.save(f"{folder}/bos-eos.gguf")


# ---- files that are refused ---------------------------------------------------------------------


def broken(folder):
    def put(name, content):
        with open(f"{folder}/{name}.gguf", "wb") as f:
            f.write(content.bytes() if isinstance(content, File) else content)

    def change(name, make=tiny, **keys):
        f = make()
        for key, value in keys.items():
            key = key.replace("__", ".")
            if value is None: del f.keys[key]
            else: f.keys[key] = value
        put(name, f)

    good = tiny().bytes()
    put("empty", b"")
    put("magic", b"GGML" + good[4:])
    put("version-1", good[:4] + struct.pack("<I", 1) + good[8:])
    put("version-4", good[:4] + struct.pack("<I", 4) + good[8:])
    put("big-endian", good[:4] + struct.pack(">I", 3) + good[8:])
    put("tensors-overflow", good[:8] + struct.pack("<Q", 1 << 60) + good[16:])
    put("keys-overflow", good[:16] + struct.pack("<Q", (1 << 64) - 1) + good[24:])
    put("one-key-more", good[:16] + struct.pack("<Q", len(tiny().keys) + 1) + good[24:])
    put("no-tensors", b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    put("key-length", good[:24] + struct.pack("<Q", 1 << 63) + good[32:])
    put("key-not-text", good[:32] + b"\xff" + good[33:])
    at = good.index(b"general.architecture") + 20
    put("value-type", good[:at] + struct.pack("<I", 13) + good[at + 4:])
    put("string-length", good[:at + 4] + struct.pack("<Q", 1 << 40) + good[at + 12:])
    at = good.index(b"token_embd.weight") + 17
    put("rank-0", good[:at] + struct.pack("<I", 0) + good[at + 4:])
    put("rank-5", good[:at] + struct.pack("<I", 5) + good[at + 4:])
    put("dimension-0", good[:at + 4] + struct.pack("<Q", 0) + good[at + 12:])
    put("dimension-overflow", good[:at + 4] + struct.pack("<QQ", 1 << 33, 1 << 33) + good[at + 20:])
    put("type-iq4", good[:at + 20] + struct.pack("<I", 23) + good[at + 24:])
    put("type-unknown", good[:at + 20] + struct.pack("<I", 99) + good[at + 24:])
    put("blocks", good[:at + 20] + struct.pack("<I", 8) + good[at + 24:])
    put("offset", good[:at + 24] + struct.pack("<Q", 1) + good[at + 32:])
    put("offset-overflow", good[:at + 24] + struct.pack("<Q", (1 << 64) - 32) + good[at + 32:])
    second = good.index(b"blk.0.attn_norm.weight") + 22
    put("overlap", good[:second + 16] + struct.pack("<Q", 0) + good[second + 24:])
    change("array-overflow", extra=("arr", "u32", [1]))
    data = open(f"{folder}/array-overflow.gguf", "rb").read()
    at = data.index(b"extra") + 5
    put("array-overflow", data[:at + 8] + struct.pack("<Q", 1 << 62) + data[at + 16:])
    put("array-nested", data[:at + 4] + struct.pack("<I", 9) + data[at + 8:])
    at = good.index(b"llama.block_count")
    put("key-twice", good[:16] + struct.pack("<Q", len(tiny().keys) + 1) + good[24:at - 8] +
        good[at - 8:at + 25] + good[at - 8:])
    twice = tiny()
    twice.tensors["token_embd.weighT"] = twice.tensors["token_embd.weight"]
    put("tensor-twice", twice.bytes().replace(b"token_embd.weighT", b"token_embd.weight"))
    change("alignment", general__alignment=("u32", 48))
    change("alignment-type", general__alignment=("f32", 32.0))
    change("no-architecture", general__architecture=None)
    change("architecture", general__architecture=("str", "gemma3"))
    change("architecture-type", general__architecture=("u32", 1))
    change("adapter", general__type=("str", "adapter"))
    change("no-layers", llama__block_count=None)
    change("layers-0", llama__block_count=("u32", 0))
    change("layers-negative", llama__block_count=("i32", -1))
    change("layers-text", llama__block_count=("str", "one"))
    change("layers-2", llama__block_count=("u32", 2))
    change("layers-many", llama__block_count=("u64", 4096))
    change("heads", llama__attention__head_count=("u32", 3))
    change("kv-heads", llama__attention__head_count_kv=("u32", 3))
    change("by-layer", llama__attention__head_count_kv=("arr", "u32", [1, 2]))
    change("mlp", llama__feed_forward_length=("u32", 16))
    change("width", llama__embedding_length=("u32", 16))
    change("vocabulary", llama__vocab_size=("u32", 9))
    change("epsilon", llama__attention__layer_norm_rms_epsilon=("f32", 0.0))
    change("rotary", llama__rope__dimension_count=("u32", 2))
    change("scaling", llama__rope__scaling__type=("str", "longrope"))
    change("scaling-factor", llama__rope__scaling__type=("str", "yarn"))
    change("window", llama__attention__sliding_window=("u32", 16))
    change("experts", llama__expert_count=("u32", 8))
    change("unknown-key", llama__logit_scale=("f32", 2.0))
    change("bos", tokenizer__ggml__bos_token_id=("u32", 8))
    f = tiny()
    f.floats("rope_freqs.weight", (2,), [1.5, 1])
    put("divisors", f)
    f = tiny()
    f.floats("blk.0.attn_rot_embd", (4,), [1, 1, 1, 1])
    put("extra-tensor", f)
    f = tiny()
    del f.tensors["blk.0.ffn_up.weight"]
    put("missing-tensor", f)
    f = tiny(bias=True)
    del f.tensors["blk.0.attn_output.bias"]
    put("missing-bias", f)
    f = tiny()
    f.floats("blk.0.ffn_up.weight", (8, 12), numbers(1, 96))
    put("shape", f)
    change("split-second", split__no=("u16", 1), split__count=("u16", 2))
    change("split-name", split__no=("u16", 0), split__count=("u16", 2))
    change("split-0", split__count=("u16", 0))
    change("tokenizer", tokenizer__ggml__model=("str", "bert"))
    change("no-tokens", tokenizer__ggml__model=("str", "gpt2"))
    t = "tokenizer.ggml."
    b = byte_level
    change("pre", b, **{t + "pre": ("str", "viking")})
    change("prefix", b, **{t + "add_space_prefix": ("bool", True)})
    change("separator", b, **{t + "add_sep_token": ("bool", True)})
    change("flag", b, **{t + "add_bos_token": ("u8", 1)})
    change("no-merges", b, **{t + "merges": None})
    change("merges-type", b, **{t + "merges": ("arr", "u32", [1])})
    change("merge-one", b, **{t + "merges": ("arr", "str", ["ab"])})
    change("merge-three", b, **{t + "merges": ("arr", "str", ["h e", "a b c"])})
    change("merge-unknown", b, **{t + "merges": ("arr", "str", ["h e", "he q"])})
    change("types-count", b, **{t + "token_type": ("arr", "i32", [1, 1])})
    change("types-value", b, **{t + "token_type": ("arr", "i32", [7] * 274)})
    change("eos", b, **{t + "eos_token_id": ("u32", 276)})
    f = b()
    tokens = f.keys[t + "tokens"][2]
    f.keys[t + "tokens"] = ("arr", "str", tokens[:9] + [tokens[3]] + tokens[10:])
    put("token-twice", f)
    f.keys[t + "tokens"] = ("arr", "str", tokens[:9] + [""] + tokens[10:])
    put("token-empty", f)
    f.keys[t + "tokens"] = ("arr", "str", tokens[:9] + [b"\xed\xa0\x80"] + tokens[10:])
    put("token-not-text", f)
    f.keys[t + "tokens"] = ("arr", "str", tokens + ["a%d" % i for i in range(8)])
    put("tokens-many", f)
    sp = {t + "model": ("str", "llama"), t + "tokens": ("arr", "str", ["<unk>", "a"])}
    change("no-scores", **sp)
    change("no-types", **sp, **{t + "scores": ("arr", "f32", [0.0, 0.0])})
    change("scores", **sp, **{t + "scores": ("arr", "f32", [0.0])})
    change("charsmap", **sp, **{t + "scores": ("arr", "f32", [0.0, 0.0]), t + "token_type": ("arr", "i32", [2, 1]),
                                t + "precompiled_charsmap": ("arr", "u8", [1])})


def main():
    command, *args = sys.argv[1:]
    if command == "stories": stories(args[0], *args[2:]).save(args[1])
    elif command == "split": split(*args)
    else:
        os.makedirs(args[0], exist_ok=True)
        {"archs": archs, "tokenizers": tokenizers, "broken": broken}[command](args[0])


if __name__ == "__main__":
    main()
