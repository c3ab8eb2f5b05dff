#!/usr/bin/env python3
"""Generate the golden file of tests/unit/test_train_parity.c: a 2-layer LLaMA in PyTorch and
transformers.

For each RoPE scaling, with tied and untied embeddings, with and without a document mask: logits,
loss, the gradient of every tensor, and ten steps of AdamW. Also rows of the RoPE tables of each
scaling. All computations are in float64 (except that transformers computes norms and rotary angles
in float32). Weights and ids come from the counter-based generator of lib/base/rng.h, so no input
file is needed.

usage: make.py OUT.safetensors
"""
import sys

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

TOKENS, VOCAB, CUT = 24, 32, 9
M64 = (1 << 64) - 1
SCALINGS = {
    "plain": (None, 64),
    "linear": ({"rope_type": "linear", "factor": 3.0}, 64),
    "dynamic": ({"rope_type": "dynamic", "factor": 2.0}, 16),
    "yarn": ({"rope_type": "yarn", "factor": 4.0}, 64),
    "llama3": ({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 64}, 512),
}


def mix1(z):
    z = z.copy()
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def mix(seed, a, b, c=0):
    """The hash4 of docs/determinism.md for an array b."""
    g = np.uint64(0x9E3779B97F4A7C15)
    h = np.full_like(b, (seed + int(g)) & M64)
    h = mix1(h)
    h = mix1((h ^ np.uint64(a)) + g)
    h = mix1((h ^ b) + g)
    return mix1((h ^ np.uint64(c)) + g)


def unit(v):
    return (v >> np.uint64(11)).astype(np.float64) * 2.0 ** -53


def count(n):
    return np.arange(n, dtype=np.uint64)


def build(scaling, positions, tied):
    config = LlamaConfig(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, head_dim=8, vocab_size=VOCAB, rms_norm_eps=1e-5,
                         max_position_embeddings=positions, rope_scaling=scaling, tie_word_embeddings=tied,
                         attn_implementation="eager")
    model = LlamaForCausalLM(config).double()
    names = ["model.embed_tokens.weight"]
    for i in range(2):
        names += [f"model.layers.{i}.{n}.weight" for n in (
            "input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
            "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")]
    names += ["model.norm.weight"] + ([] if tied else ["lm_head.weight"])
    params = dict(model.named_parameters())
    assert sorted(params) == sorted(names)
    with torch.no_grad():
        for i, name in enumerate(names):
            p = params[name]
            u = unit(mix(11, i, count(p.numel()))).astype(np.float32).astype(np.float64)
            p.copy_(torch.from_numpy(1 + (u - 0.5) / 2 if p.dim() == 1 else u - 0.5).reshape(p.shape))
    return model, names, params


def case(out, label, scaling, positions, tied, mask):
    model, names, params = build(scaling, positions, tied)
    ids = torch.from_numpy((mix(12, 0, count(TOKENS)) % np.uint64(VOCAB)).astype(np.int64))
    targets = torch.cat([ids[1:], torch.tensor([-1])])
    see = torch.ones(TOKENS, TOKENS, dtype=torch.bool).tril()
    if mask:
        targets[CUT - 1] = -1
        see[CUT:, :CUT] = False
    bias = torch.zeros(TOKENS, TOKENS, dtype=torch.float64).masked_fill(~see, torch.finfo(torch.float64).min)

    def forward():
        logits = model(ids[None], attention_mask=bias[None, None],
                       position_ids=torch.arange(TOKENS)[None]).logits[0]
        return logits, torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1)

    logits, loss = forward()
    loss.backward()
    out[f"{label}/logits"] = logits
    for name in names:
        out[f"{label}/{name}"] = params[name].grad.clone()
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in params.values() if p.dim() > 1], "weight_decay": 0.1},
         {"params": [p for p in params.values() if p.dim() == 1], "weight_decay": 0.0}],
        lr=1e-3, betas=(0.9, 0.95), eps=1e-5)
    losses, norms = [], []
    for _ in range(10):
        optimizer.zero_grad()
        _, loss = forward()
        loss.backward()
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        optimizer.step()
    out[f"{label}/losses"] = torch.tensor(losses)
    out[f"{label}/norms"] = torch.tensor(norms)
    out[f"{label}/after"] = params["model.embed_tokens.weight"]


def frequencies(kind, factor, d, trained, length):
    """Inverse frequencies and amplitude by transformers' own functions, forced to float64."""
    config = LlamaConfig(hidden_size=d, num_attention_heads=1, max_position_embeddings=trained)
    if kind == "ntk":  # not in transformers: another base
        config.rope_theta *= factor ** (d / (d - 2))
        kind = "default"
    config.rope_scaling = {"rope_type": kind, "factor": factor}
    narrow, single = torch.Tensor.float, torch.float32
    torch.Tensor.float, torch.float32 = torch.Tensor.double, torch.float64
    try:
        freq, amplitude = ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"), seq_len=length)
    finally:
        torch.Tensor.float, torch.float32 = narrow, single
    assert freq.dtype == torch.float64
    return freq, amplitude


def rope_tables(out):
    """[3, d]: cosines and sines at position 1, the last trained position, and the last position."""
    for d, trained in ((8, 64), (128, 4096)):
        for kind, factor in (("linear", 4.0), ("ntk", 4.0), ("dynamic", 2.0), ("dynamic", 8.0), ("yarn", 8.0)):
            for length in (trained // 2, 2 * trained, 8 * trained):
                freq, amplitude = frequencies(kind, factor, d, trained, length)
                angle = torch.tensor([1.0, trained - 1, length - 1]).double()[:, None] * freq
                out[f"rope/{kind}:{factor:.0f}/{d}/{length}"] = amplitude * torch.cat([angle.cos(), angle.sin()], 1)


def main():
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True)
    out = {}
    for name, (scaling, positions) in SCALINGS.items():
        for tied in (False, True):
            for mask in (False, True):
                label = f"{name}-{'tied' if tied else 'untied'}-{'mask' if mask else 'causal'}"
                case(out, label, scaling, positions, tied, mask)
    rope_tables(out)
    save_file({k: v.detach().float().contiguous() for k, v in out.items()}, sys.argv[1],
              metadata={"torch": torch.__version__, "transformers": transformers.__version__})
    print(f"{len(out)} tensors by torch {torch.__version__}, transformers {transformers.__version__}")


if __name__ == "__main__":
    main()
