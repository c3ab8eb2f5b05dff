"""Time a training step of a 7B model in PyTorch and transformers: bf16 weights, SDPA, gradient
checkpointing. Prints one JSON line in the format of bench_gpu, or the reason for skipping.
usage: gpu_peer.py LENGTH [LAYERS]"""
import json
import sys
import time

try:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
except ImportError as e:
    sys.exit(print(json.dumps({"bench": "torch", "skipped": str(e)})))
if not torch.cuda.is_available():
    sys.exit(print(json.dumps({"bench": "torch", "skipped": "no GPU"})))

length, layers = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 32
line = {"bench": "torch", "length": length, "layers": layers, "torch": torch.__version__}
try:
    config = LlamaConfig(hidden_size=4096, intermediate_size=11008, num_hidden_layers=layers,
                         num_attention_heads=32, num_key_value_heads=32, vocab_size=32000,
                         max_position_embeddings=length)
    config._attn_implementation = "sdpa"
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = LlamaForCausalLM(config)
    model.train()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    ids = torch.randint(0, 32000, (1, length), device="cuda")

    def step():
        # LM head and loss in chunks of 8192 tokens, as in bench_gpu.
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[0]
        leaf = hidden.detach().requires_grad_()
        for at in range(0, length - 1, 8192):
            end = min(at + 8192, length - 1)
            logits = model.lm_head(leaf[at:end]).float()
            wanted = ids[0, at + 1:end + 1]
            loss = torch.nn.functional.cross_entropy(logits, wanted, reduction="sum")
            loss.div(length).backward()
        hidden.backward(leaf.grad)

    times = []
    for _ in range(3):
        torch.cuda.synchronize()
        start = time.perf_counter()
        step()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    line["seconds"] = min(times[1:])
    line["tokens_per_second"] = length / line["seconds"]
    line["memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
except torch.cuda.OutOfMemoryError:
    line["skipped"] = "out of memory"
print(json.dumps(line))
