"""What bench_read.c measures, in PyTorch and transformers: float32, SDPA.
usage: read.py MODEL THREADS LENGTH STEPS [FILE]
       read.py --compare FILE FILE"""
import sys
import time

import numpy as np

if sys.argv[1] == "--compare":
    ours, theirs = (np.fromfile(f, np.float32).reshape(2, -1).astype(np.float64) for f in sys.argv[2:4])
    same = "equal" if (ours.argmax(1) == theirs.argmax(1)).all() else "DIFFERENT"
    off = np.abs(ours - theirs).max()
    print(f"argmax {same}, largest difference of a logit {off:.1e} (of {np.abs(theirs).max():.1f})")
    sys.exit(0 if same == "equal" and off < 0.05 else 1)

import torch
from transformers import AutoModelForCausalLM

model_dir, threads, length, steps = sys.argv[1], *map(int, sys.argv[2:5])
torch.set_num_threads(threads)
torch.set_grad_enabled(False)
model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32, attn_implementation="sdpa").eval()
vocab = model.config.vocab_size
ids = torch.tensor([[((i * 2654435761 & 0xFFFFFFFF) >> 8) % vocab for i in range(length + steps)]])
model(ids[:, :64], logits_to_keep=1)
start = time.perf_counter()
out = model(ids[:, :length], use_cache=True, logits_to_keep=1)
read = time.perf_counter() - start
first = out.logits[0, -1]
start = time.perf_counter()
for i in range(length, length + steps):
    out = model(ids[:, i:i + 1], past_key_values=out.past_key_values, use_cache=True, logits_to_keep=1)
made = time.perf_counter() - start
print(f"{length / read:.2f} {steps / made:.3f}")
if len(sys.argv) > 5:
    np.concatenate([first.numpy(), out.logits[0, -1].numpy()]).tofile(sys.argv[5])
