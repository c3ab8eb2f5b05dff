#!/usr/bin/env python3
"""Compare lmimport gguf with the gguf package and with transformers' own reader of GGUF files.

usage: gguf.py types OUT      write tests/data/types.gguf: blocks of every type, and the float32 numbers that the package
                              makes of them
       gguf.py compare WORK [FILE.gguf TEXT.jsonl...]
                              import models with every type, architecture and tokenizer, and FILE; weights must be equal
                              bit for bit, and ids on the texts
"""
import importlib.util
import json
import os
import random
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
# This file has the package's name.
sys.path = [p for p in sys.path if os.path.abspath(p or ".") != HERE]
import gguf  # noqa: E402

spec = importlib.util.spec_from_file_location("writer", os.path.join(HERE, "../cli/lmimport/gguf.py"))
writer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(writer)

# Types, with the places of the float16 scales in a block.
SCALES = {"F16": (), "BF16": (), "Q8_0": (0,), "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "Q4_K": (0, 2),
          "Q5_K": (0, 2), "Q6_K": (208,)}


def blocks(name, count, rng, wide=True):
    """Random blocks with finite scales; with `wide` from the whole range of float16."""
    numbers, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    data = rng.integers(0, 256, (count, size), dtype=np.uint8)
    if not SCALES[name]:  # exponents that are neither infinity nor NaN
        values = rng.standard_normal(count).astype(np.float32)
        if name == "F16": return values.astype(np.float16).view(np.uint8).tobytes()
        return (values.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8).tobytes()
    for at in SCALES[name]:
        scale = rng.standard_normal(count) * (10.0 ** rng.uniform(-8, 3, count) if wide else 0.01)
        data[:, at:at + 2] = scale.astype(np.float16).reshape(-1, 1).view(np.uint8)
    return data.tobytes()


def dequantize(name, data, shape):
    kind = gguf.GGMLQuantizationType[name]
    if name == "F16": return np.frombuffer(data, "<f2").astype(np.float32).reshape(shape)
    return gguf.dequantize(np.frombuffer(data, np.uint8), kind).reshape(shape).astype(np.float32)


def write_types(out):
    rng = np.random.default_rng(1)
    f = writer.File()
    for name in SCALES:
        numbers = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]][0]
        count = 64 if numbers == 1 else 8 if numbers == 32 else 2
        data = blocks(name, count, rng)
        if name == "F16": data = np.concatenate([np.arange(0, 31744, 331), np.arange(32768, 64512, 331)]).astype("<u2").tobytes()
        n = len(data) // 2 if numbers == 1 else count * numbers
        f.tensors[name] = ((n,), int(gguf.GGMLQuantizationType[name]), data)
        f.tensors[name + ".expected"] = ((n,), 0, dequantize(name, data, (n,)).astype("<f4").tobytes())
    f.save(out)


# ---- against transformers -----------------------------------------------------------------------


def run(path, out):
    subprocess.run(["lmimport", "-q", "gguf", path, "-o", out], check=True)


def same_weights(folder, file, out):
    import torch
    from transformers import AutoModelForCausalLM
    theirs = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).state_dict()
    ours = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32).state_dict()
    assert theirs.keys() == ours.keys(), file
    for name, t in theirs.items():
        assert torch.equal(t.view(torch.int32), ours[name].view(torch.int32)), (file, name)
    return len(theirs)


def typed_model(arch, types, rng):
    """A model with one layer for each type."""
    f = writer.tiny(arch)
    dim = 256
    for key, value in (("embedding_length", dim), ("feed_forward_length", 512), ("block_count", len(types)),
                       ("attention.head_count", 8), ("attention.head_count_kv", 4)):
        f.keys[f"{arch}.{key}"] = ("u32", value)
    if arch == "qwen3": f.keys[f"{arch}.attention.key_length"] = ("u32", 32)
    f.keys[f"{arch}.vocab_size"] = ("u32", 64)
    # transformers has a head width of 128 for Qwen3 and reads no key_length there.
    head, heads, kv = (128 if arch == "qwen3" else 32), 8, 4
    if arch == "qwen3": f.keys[f"{arch}.attention.key_length"] = ("u32", head)
    shapes = {"token_embd.weight": (64, dim), "output_norm.weight": (dim,), "output.weight": (64, dim)}
    for i in range(len(types)):
        b = f"blk.{i}."
        shapes.update({b + "attn_norm.weight": (dim,), b + "attn_q.weight": (heads * head, dim),
                       b + "attn_k.weight": (kv * head, dim), b + "attn_v.weight": (kv * head, dim),
                       b + "attn_output.weight": (dim, heads * head), b + "ffn_norm.weight": (dim,),
                       b + "ffn_gate.weight": (512, dim), b + "ffn_up.weight": (512, dim),
                       b + "ffn_down.weight": (dim, 512)})
        if arch == "qwen2": shapes.update({b + "attn_q.bias": (heads * head,), b + "attn_k.bias": (kv * head,),
                                           b + "attn_v.bias": (kv * head,)})
        if arch == "qwen3": shapes.update({b + "attn_q_norm.weight": (head,), b + "attn_k_norm.weight": (head,)})
    f.tensors = {}
    for name, shape in shapes.items():
        layer = int(name.split(".")[1]) if name.startswith("blk.") else 0
        kind = types[layer] if len(shape) == 2 else "F32"
        count = int(np.prod(shape))
        if kind == "F32":
            f.tensors[name] = (shape, 0, rng.standard_normal(count).astype("<f4").tobytes())
            continue
        number = gguf.GGMLQuantizationType[kind]
        numbers = gguf.GGML_QUANT_SIZES[number][0]
        try:
            data = gguf.quantize(rng.standard_normal(shape).astype(np.float32), number).tobytes()
        except NotImplementedError:  # types with blocks of 256
            data = blocks(kind, count // numbers, rng, wide=False)
        f.tensors[name] = (shape, int(number), data)
    return f


def texts(files):
    out = ["", " ", "a", "Hello  world", "  12 34\n\n5", "it's IT'S", "<|endoftext|>x", "<think>", " hello12 hello", "\u00e9 e\u0301",
           "\u6f22\u5b57\u304b\u306a abc", "\r\n\r\n a\tb", "3.14 1,000 \u0661\u0662\u0663", "!!?? $$ <=> \U0001f600\u200d"]
    rng = random.Random(1)
    pool = "ab hello the 1 12  \n\r\t'sLl.!?/\u00e9e\u0301\u00c9\u4e2d\u3042\uac00\u0661\u00bd\u2028\u00a0\U0001f600<|>"
    out += ["".join(rng.choice(pool) for _ in range(rng.randrange(1, 40))) for _ in range(3000)]
    for path in files:
        with open(path, "rb") as f:
            for line in f:
                try: value = json.loads(line.decode())
                except ValueError: continue
                if isinstance(value, dict) and isinstance(value.get("text"), str): out.append(value["text"])
    return out


def as_the_original(tokenizer, pre):
    """transformers reads every vocabulary as GPT-2's but for the expressions that it knows: give it what the models'
    own files have besides."""
    from tokenizers import Regex, normalizers, pre_tokenizers
    inner = tokenizer.backend_tokenizer
    step = lambda p: pre_tokenizers.Split(Regex(p), behavior="isolated")  # noqa: E731
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    if pre == "smollm":
        inner.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    elif pre == "deepseek-coder":
        inner.pre_tokenizer = pre_tokenizers.Sequence(
            [step("[\r\n]"), step(r"\s?\p{L}+"), step(r"\s?\p{P}+"),
             step("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"), pre_tokenizers.Digits(individual_digits=True), last])
    elif pre == "deepseek-v3":
        inner.pre_tokenizer = pre_tokenizers.Sequence(
            [step(r"\p{N}{1,3}"), step("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"),
             step("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                  "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), last])
    elif pre == "qwen2":
        inner.normalizer = normalizers.NFC()
    elif pre in ("llama-bpe", "tekken"):
        inner.model.ignore_merges = True


def same_ids(folder, file, out, pre, lines):
    from transformers import AutoTokenizer
    theirs = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    ours = AutoTokenizer.from_pretrained(out)
    as_the_original(theirs, pre)
    size = len(gguf.GGUFReader(os.path.join(folder, file)).fields["tokenizer.ggml.tokens"].data)
    assert len(ours) == size, file  # transformers adds tokens of the class GPT-2 that the file lacks
    for text in lines:
        want, got = theirs(text)["input_ids"], ours(text)["input_ids"]
        if pre == "llama-bpe":  # whose BOS is added where the file does not say so, as llama.cpp does
            assert got[0] == ours.bos_token_id
            got = got[1:]
        assert got == want, (file, text, want, got)
        assert ours.decode(got) == theirs.decode(want), (file, text)
    for name in ("bos_token", "eos_token", "unk_token", "pad_token", "chat_template"):
        assert getattr(ours, name) == getattr(theirs, name), (file, name)
    return len(lines)


def compare(work, file=None, *data):
    rng = np.random.default_rng(2)
    lines = texts(data)
    path = lambda *p: os.path.join(work, *p)  # noqa: E731
    types = ["F32", *SCALES]
    for arch in ("llama", "qwen2", "qwen3"):
        typed_model(arch, types, rng).save(path(arch + ".gguf"))
        run(path(arch + ".gguf"), path(arch))
        print(f"{arch}: {same_weights(work, arch + '.gguf', path(arch))} tensors of {len(types)} types are equal")
    for kind in ("F16", "BF16"):
        typed_model("llama", [kind] * 2, rng).save(path(kind + ".gguf"))
        run(path(kind + ".gguf"), path(kind))
        assert json.load(open(path(kind, "config.json")))["torch_dtype"] == {"F16": "float16", "BF16": "bfloat16"}[kind]
        print(f"{kind}: {same_weights(work, kind + '.gguf', path(kind))} tensors are equal")
    writer.tokenizers(work)
    for pre in [*writer.PRES, "bos-eos"]:
        run(path(pre + ".gguf"), path(pre))
        print(f"{pre}: ids of {same_ids(work, pre + '.gguf', path(pre), pre, lines)} texts are equal")
    subprocess.run(["lmimport", "-q", "llama2c", "tests/data/stories66K.bin", "tests/data/tok512.bin", "-o", path("stories")],
                   check=True)
    writer.stories(path("stories")).save(path("stories.gguf"))
    run(path("stories.gguf"), path("sp"))
    print(f"SentencePiece: {same_weights(work, 'stories.gguf', path('sp'))} tensors are equal")
    if file:
        folder, name = os.path.split(os.path.abspath(file))
        run(file, path("model"))
        print(f"{name}: {same_weights(folder, name, path('model'))} tensors are equal")
        print(f"{name}: ids of {same_ids(folder, name, path('model'), 'smollm', lines)} texts are equal")


if __name__ == "__main__":
    {"types": write_types, "compare": compare}[sys.argv[1]](*sys.argv[2:])
