"""bpe.py MODEL_DIR <TEXTS.jsonl -- the ids of each text by MODEL_DIR/tokenizer.json, as the tokenizers library reads
it: spaces to U+2581, then always the pair that comes first in the list, the leftmost of equal ones."""
import json
import sys

data = json.load(open(sys.argv[1] + "/tokenizer.json", encoding="utf-8"))
vocab, merges = data["model"]["vocab"], {tuple(p): i for i, p in enumerate(data["model"]["merges"])}
assert len(merges) == len(data["model"]["merges"]) and all(a in vocab and b in vocab and a + b in vocab for a, b in merges)


def encode(text):
    for step in data["normalizer"]["normalizers"]:
        if step["type"] == "Prepend":
            text = step["prepend"] + text if text else text
        else:
            text = text.replace(step["pattern"]["String"], step["content"])
    word = []
    for c in text:
        word += [c] if c in vocab else ["<0x%02X>" % b for b in c.encode()]
    while True:
        best = min(range(len(word) - 1), default=None, key=lambda i: (merges.get((word[i], word[i + 1]), len(merges)), i))
        if best is None or (word[best], word[best + 1]) not in merges:
            return [vocab[piece] for piece in word]
        word[best:best + 2] = [word[best] + word[best + 1]]


for line in sys.stdin:
    print(*encode(json.loads(line)["text"]))
