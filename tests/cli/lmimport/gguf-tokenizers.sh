# The tokenizer.json of byte-level vocabularies: what each name of a pre-tokenizer stands for, special tokens and
# template. `make parity` compares ids with transformers.
command -v python3 >/dev/null || { echo "python3 is absent"; exit 77; }
tests=$LM_SRC/tests/cli/lmimport
python3 "$tests/gguf.py" tokenizers models
for name in default gpt-2 smollm llama-bpe qwen2 tekken gpt-4o deepseek-coder deepseek-v3 bos-eos; do
    echo "-- $name"
    lmimport gguf models/$name.gguf -o $name 2>&1
    ls $name | tr '\n' ' '
    python3 - $name <<'PY'
import json, sys
t = json.load(open(sys.argv[1] + "/tokenizer.json"))
vocab, merges = t["model"].pop("vocab"), t["model"].pop("merges")
print()
for key, value in t.items(): print(key, json.dumps(value))
print(len(vocab), len(merges), list(vocab) [:1], list(vocab)[-1:])
assert list(vocab.values()) == list(range(len(vocab)))
print(json.dumps(json.load(open(sys.argv[1] + "/tokenizer_config.json"))))
PY
done
