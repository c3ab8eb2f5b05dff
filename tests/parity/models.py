#!/usr/bin/env python3
"""Generate the golden files of tests/unit/test_train_architectures.c: random models of every
architecture and option, as transformers writes their config.json, and their logits.

OUT.json has for each model its config.json and the names and shapes of its tensors. The numbers of
tensor i come from the counter-based generator of lib/base/rng.h, so that no weights are stored.
OUT.safetensors has the logits of every fourth token, computed in float64 (except that transformers
computes norms and rotary angles in float32).

transformers has no Dual Chunk Attention. For it the models are written out here in numpy, from the
definition: one softmax over the matrix of positions. Without chunks that code is compared with
transformers first.

usage: models.py OUT
"""
import json
import math
import os
import sys
import tempfile

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file
from transformers import AutoConfig, AutoModelForCausalLM

from make import count, mix, unit

TOKENS, EVERY, VOCAB = 60, 4, 64
SHAPE = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "vocab_size": VOCAB, "max_position_embeddings": 64, "rms_norm_eps": 1e-5}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}
LONG = {"max_position_embeddings": 512}

# Written by transformers: model_type, and what differs from SHAPE.
NEW = {
    "llama": ("llama", {}),
    "llama-tied-biases": ("llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
    "llama-heads": ("llama", {"head_dim": 8, "num_key_value_heads": 4}),
    "llama-linear": ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 3.0, "rope_theta": 500.0}}),
    "llama-dynamic": ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 500.0},
                                "max_position_embeddings": 16, "head_dim": 6}),
    "llama-llama3": ("llama", {"rope_parameters": {**LLAMA3, "rope_theta": 5e5}, "attention_bias": True, **LONG}),
    "qwen2": ("qwen2", {}),
    "qwen2-tied-heads": ("qwen2", {"head_dim": 6, "tie_word_embeddings": True, "num_key_value_heads": 1}),
    "qwen2-yarn": ("qwen2", {"rope_parameters": {**YARN, "rope_theta": 1e6}, "head_dim": 16}),
    "qwen2-dynamic": ("qwen2", {"rope_parameters": {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 1e6},
                                "max_position_embeddings": 20, "head_dim": 8}),
    "qwen2-window": ("qwen2", {"use_sliding_window": True, "sliding_window": TOKENS, "max_window_layers": 1}),
    "qwen3": ("qwen3", {"head_dim": 8}),
    "qwen3-tied-biases": ("qwen3", {"head_dim": 8, "attention_bias": True, "tie_word_embeddings": True}),
    "qwen3-linear": ("qwen3", {"head_dim": 8, "rope_parameters": {"rope_type": "linear", "factor": 2.0,
                                                                  "rope_theta": 1e6}}),
    "qwen3-yarn": ("qwen3", {"head_dim": 16, "rope_parameters": {
        **YARN, "rope_theta": 1e6, "mscale": 0.707, "mscale_all_dim": 1.5, "truncate": False, "beta_fast": 16.0,
        "beta_slow": 2.0}}),
    "qwen3-llama3": ("qwen3", {"head_dim": 8, "rope_parameters": {**LLAMA3, "rope_theta": 1e4}, **LONG}),
    "mistral": ("mistral", {"sliding_window": None}),
    "mistral-tied-window": ("mistral", {"head_dim": 8, "tie_word_embeddings": True, "sliding_window": TOKENS}),
    "mistral-yarn": ("mistral", {"sliding_window": None, "head_dim": 16,
                                 "rope_parameters": {**YARN, "rope_theta": 1e6, "attention_factor": 1.25}}),
    "mistral-dynamic": ("mistral", {"sliding_window": None, "max_position_embeddings": 20, "head_dim": 8,
                                    "rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}}),
}

# As people have them from before: kept as they are.
OLD = {
    "old-llama": {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **SHAPE, "pretraining_tp": 1,
                  "hidden_act": "silu", "rope_scaling": {"type": "linear", "factor": 2.0}, "rope_theta": 10000.0,
                  "torch_dtype": "float16", "use_cache": True, "tie_word_embeddings": False,
                  "transformers_version": "4.31.0"},
    "old-qwen2": {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", **SHAPE, "attention_dropout": 0.0,
                  "hidden_act": "silu", "max_window_layers": 2, "sliding_window": 32, "use_sliding_window": False,
                  "rope_theta": 1000000.0, "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_mrope": False,
                  "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
                  "transformers_version": "4.43.1", "use_cache": True},
    "old-mistral": {"architectures": ["MistralForCausalLM"], "model_type": "mistral", **SHAPE, "hidden_act": "silu",
                    "rope_theta": 10000.0, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
                    "transformers_version": "4.34.0.dev0", "use_cache": True},  # the window is absent: 4096
}

# Dual Chunk Attention: of Qwen2.5-1M's config.json.
DUAL = {
    "dual-qwen2": {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", **SHAPE, "rope_theta": 1e4,
                   "max_position_embeddings": 1010, "use_sliding_window": False, "sliding_window": 32,
                   "tie_word_embeddings": False, "torch_dtype": "bfloat16",
                   "dual_chunk_attention_config": {"chunk_size": 16, "local_size": 4,
                                                   "original_max_position_embeddings": 16}},
    "dual-qwen3": {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", **SHAPE, "rope_theta": 1e4,
                   "head_dim": 8, "tie_word_embeddings": True, "max_position_embeddings": 40,
                   "dual_chunk_attention_config": {"chunk_size": 14, "local_size": 7, "sparse_attention_enabled": False,
                                                   "original_max_position_embeddings": 20}},
    "dual-unscaled": {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", **SHAPE, "rope_theta": 1e4,
                      "max_position_embeddings": 24, "tie_word_embeddings": False,
                      "dual_chunk_attention_config": {"chunk_size": 24, "local_size": 2}},
}


def fill(tensors):
    """tensors: [name, shape]. Norms near 1, the rest near 0."""
    out = {}
    for i, (name, shape) in enumerate(tensors):
        u = unit(mix(11, i, count(math.prod(shape)))).astype(np.float32).astype(np.float64)
        out[name] = (1 + (u - 0.5) / 2 if "norm" in name else u - 0.5).reshape(shape)
    return out


def ids():
    return (mix(12, 0, count(TOKENS)) % np.uint64(VOCAB)).astype(np.int64)


def build(config):
    """The model in transformers, with the numbers of fill(); config.json as it is written; tensors."""
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").double().eval()
    params = dict(model.named_parameters())
    tensors = [[name, list(p.shape)] for name, p in params.items()]
    with torch.no_grad():
        for name, x in fill(tensors).items():
            params[name].copy_(torch.from_numpy(x))
    with tempfile.TemporaryDirectory() as d:
        model.save_pretrained(d)
        with open(os.path.join(d, "config.json"), encoding="utf-8") as f:
            return model, json.load(f), tensors


def logits_of(model):
    with torch.no_grad():
        return model(torch.from_numpy(ids())[None]).logits[0].numpy()


# ---- in numpy ------------------------------------------------------------------------------------

def norm(x, w, eps):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w


def rotated(x, position, theta):
    """x[..., d], rotated at one position; pairs (i, i + d/2)."""
    half = x.shape[-1] // 2
    angle = position * theta ** (-np.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], -1)


def positions(dual, i, j):
    """Of query i and key j, j <= i: as the authors of Qwen2.5-1M place them."""
    if not dual:
        return i, j
    chunk = dual["chunk_size"]
    s = chunk - dual["local_size"]
    apart = i // s - j // s
    return (i % s, min(i % s + s, chunk), min(2 * s - 1, chunk))[min(apart, 2)], j % s


def numpy_logits(config, w, dual):
    heads, groups, eps = config["num_attention_heads"], config["num_key_value_heads"], config["rms_norm_eps"]
    d = config.get("head_dim") or config["hidden_size"] // heads
    original = (dual or {}).get("original_max_position_embeddings", 0)
    grown = max(1.0, 0.1 * math.log(TOKENS / original) + 1) if original else 1.0
    scale = grown * grown / math.sqrt(d)  # of the keys, and of the softmax
    x = w["model.embed_tokens.weight"][ids()]
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."

        def product(h, name):
            y = h @ w[f"{at}{name}.weight"].T
            return y + w[f"{at}{name}.bias"] if f"{at}{name}.bias" in w else y

        h = norm(x, w[at + "input_layernorm.weight"], eps)
        q = product(h, "self_attn.q_proj").reshape(TOKENS, heads, d)
        k = product(h, "self_attn.k_proj").reshape(TOKENS, groups, d)
        v = product(h, "self_attn.v_proj").reshape(TOKENS, groups, d)
        if at + "self_attn.q_norm.weight" in w:
            q = norm(q, w[at + "self_attn.q_norm.weight"], eps)
            k = norm(k, w[at + "self_attn.k_norm.weight"], eps)
        o = np.zeros_like(q)
        for i in range(TOKENS):
            for head in range(heads):
                kv = head // (heads // groups)
                scores = np.empty(i + 1)
                for j in range(i + 1):
                    of_q, of_k = positions(dual, i, j)
                    scores[j] = scale * rotated(q[i, head], of_q, config["rope_theta"]) @ rotated(
                        k[j, kv], of_k, config["rope_theta"])
                p = np.exp(scores - scores.max())
                o[i, head] = p / p.sum() @ v[:i + 1, kv]
        x = x + product(o.reshape(TOKENS, -1), "self_attn.o_proj")
        h = norm(x, w[at + "post_attention_layernorm.weight"], eps)
        gate = product(h, "mlp.gate_proj")
        x = x + product(gate / (1 + np.exp(-gate)) * product(h, "mlp.up_proj"), "mlp.down_proj")
    x = norm(x, w["model.norm.weight"], eps)
    return x @ w["model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"].T


def main():
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True)
    about, logits = {}, {}

    def add(name, config, tensors, values):
        about[name] = {"config": config, "tensors": tensors}
        logits[name] = values[EVERY - 1::EVERY].astype(np.float32)

    for name, (kind, fields) in NEW.items():
        model, written, tensors = build(AutoConfig.for_model(kind, **{**SHAPE, **fields}))
        add(name, written, tensors, logits_of(model))
    for name, config in OLD.items():
        model, _, tensors = build(AutoConfig.for_model(**config))
        add(name, config, tensors, logits_of(model))
    for name, config in DUAL.items():
        plain = {k: v for k, v in config.items() if k != "dual_chunk_attention_config"}
        model, _, tensors = build(AutoConfig.for_model(**plain))
        w, theirs = fill(tensors), logits_of(model)
        off = np.abs(numpy_logits(config, w, None) - theirs).max() / np.abs(theirs).max()
        assert off < 1e-6, (name, off)
        add(name, config, tensors, numpy_logits(config, w, config["dual_chunk_attention_config"]))
    with open(sys.argv[1] + ".json", "w", encoding="utf-8") as f:
        rows = (f"{json.dumps(k)}: {json.dumps(v)}" for k, v in about.items())
        f.write("{" + ",\n".join(rows) + "}\n")
    save_file(logits, sys.argv[1] + ".safetensors", metadata={"transformers": transformers.__version__})
    print(f"{len(about)} models by torch {torch.__version__}, transformers {transformers.__version__}")


if __name__ == "__main__":
    main()
