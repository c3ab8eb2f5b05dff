#!/usr/bin/env python3
"""Load a model directory written by lmtrain in transformers. The loss on held-out shards must equal
the last eval_loss of lmtrain's log, generation must work, and the tokenizer, if there is one, must
load.

usage: load.py DIR SHARDS
"""
import glob
import json
import os
import struct
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def rows(path):
    """All rows of a shard with 16-bit ids (docs/format-shard.md)."""
    with open(path, "rb") as f:
        data = f.read()
    tokens, = struct.unpack_from("<Q", data, 16)
    count, = struct.unpack_from("<Q", data, len(data) - 104)
    return np.frombuffer(data, "<u2", tokens * count, 4096).reshape(count, tokens).astype(np.int64)


def main():
    model = AutoModelForCausalLM.from_pretrained(sys.argv[1], attn_implementation="sdpa", torch_dtype=torch.float32)
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for path in sorted(glob.glob(os.path.join(sys.argv[2], "*.lms"))):
            for row in torch.from_numpy(rows(path)):
                logits = model(row[None, :-1]).logits[0]
                total += torch.nn.functional.cross_entropy(logits, row[1:], reduction="sum").item()
                count += len(row) - 1
        with open(os.path.join(sys.argv[1], "log.jsonl"), encoding="utf-8") as f:
            evals = [r for r in map(json.loads, f) if "eval_loss" in r]
        ours, theirs = evals[-1]["eval_loss"], total / count
        print(f"held-out loss over {count} tokens: lmtrain {ours:.6f}, transformers {theirs:.6f}")
        assert evals[-1]["eval_tokens"] == count
        assert abs(ours - theirs) < 1e-5 * theirs
        start = torch.from_numpy(rows(path)[:1, :8])
        out = model.generate(start, attention_mask=torch.ones_like(start), max_new_tokens=16, do_sample=False)
        assert out.shape == (1, 24)
    if os.path.exists(os.path.join(sys.argv[1], "tokenizer_config.json")):
        tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
        print(repr(tokenizer.decode(out[0])))


if __name__ == "__main__":
    main()
