"""The training steps of bench_train.c in PyTorch and transformers.
usage: train.py THREADS"""
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(1)
config = LlamaConfig(hidden_size=128, intermediate_size=384, num_hidden_layers=5, num_attention_heads=4,
                     vocab_size=1024, max_position_embeddings=2048, rms_norm_eps=1e-5, tie_word_embeddings=True,
                     attn_implementation="sdpa")
model = LlamaForCausalLM(config)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
ids = torch.randint(0, 1024, (2, 2048))
best = 1e9
for _ in range(6):
    start = time.perf_counter()
    loss = model(ids, labels=ids).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    last = loss.item()
    best = min(best, time.perf_counter() - start)
print(f"  PyTorch {torch.__version__:10} {4096 / best:8.0f} tokens/s (loss {last:.4f} after 6 steps)")
