#!/usr/bin/env python3
"""Compare the tokens that lmgen generated from BOS only with greedy decoding in transformers.

usage: greedy.py MODEL MADE.jsonl
"""
import json
import sys

import torch
from transformers import LlamaForCausalLM

model = LlamaForCausalLM.from_pretrained(sys.argv[1], torch_dtype=torch.float32)
made = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
ids = [model.config.bos_token_id]
worst = 0.0
with torch.no_grad():
    for token in made:
        logprobs = model(torch.tensor([ids])).logits[0, -1].double().log_softmax(-1)
        assert int(logprobs.argmax()) == token["id"], (len(ids), token)
        worst = max(worst, abs(float(logprobs[token["id"]]) - token["logprob"]))
        ids.append(token["id"])
print(f"{len(made)} tokens equal those of transformers; log-probabilities differ by {worst:.2g}")
assert len(made) == 200 and worst < 1e-4
