#!/usr/bin/env python3
"""Make tests/data/ranks: a small rank file and a small tekken.json, trained on tests/data/essays, texts, and the ids
that tiktoken and mistral-common give for them.

usage: ranks_data.py tests/data
"""
import base64
import collections
import glob
import json
import os
import sys

import regex
import tiktoken
from mistral_common.tokens.tokenizers.tekken import Tekkenizer

import adversarial

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|"
          r"\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
          r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|"
          r"\s*[\r\n]+|\s+(?!\S)|\s+")
PIECES = 600


def train(pattern, text):
    """Pieces by rank: the bytes, then merges of the most frequent pair, the first in order of bytes of equals."""
    words = collections.Counter(regex.findall(pattern, text))
    parts = {w: [bytes([b]) for b in w.encode()] for w in words}
    pieces = [bytes([b]) for b in range(256)]
    while len(pieces) < PIECES:
        pairs = collections.Counter()
        for w, p in parts.items():
            for pair in zip(p, p[1:]):
                pairs[pair] += words[w]
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        joined = best[0] + best[1]
        if joined not in pieces:
            pieces.append(joined)
        for p in parts.values():
            i = 0
            while i + 1 < len(p):
                if (p[i], p[i + 1]) == best:
                    p[i:i + 2] = [joined]
                i += 1
    return pieces


def main():
    data = sys.argv[1]
    out = os.path.join(data, "ranks")
    os.makedirs(out, exist_ok=True)
    text = "\n".join(open(p, encoding="utf-8").read() for p in sorted(glob.glob(data + "/essays/*")))[:200000]
    texts = [t for t in adversarial.documents(200, 7) if len(t) < 400]
    with open(out + "/texts.jsonl", "w", encoding="utf-8") as f:
        f.writelines(json.dumps({"text": t}) + "\n" for t in texts)

    pieces = train(LLAMA3, text)
    with open(out + "/small.tiktoken", "wb") as f:
        f.writelines(base64.b64encode(p) + b" %d\n" % i for i, p in enumerate(pieces))
    encoding = tiktoken.Encoding("x", pat_str=LLAMA3, mergeable_ranks={p: i for i, p in enumerate(pieces)}, special_tokens={})
    with open(out + "/small.tiktoken.ids", "w") as f:
        f.writelines(" ".join(map(str, encoding.encode_ordinary(t))) + "\n" for t in texts)

    pieces = train(TEKKEN, text)
    config = {"pattern": TEKKEN, "num_vocab_tokens": PIECES, "default_vocab_size": PIECES - 50 + 20,
              "default_num_special_tokens": 20, "version": "v3"}
    vocab = [{"rank": i, "token_bytes": base64.b64encode(p).decode(), "token_str": None} for i, p in enumerate(pieces)]
    with open(out + "/tekken.json", "w") as f:
        json.dump({"config": config, "vocab": vocab}, f, indent=0)
    tekken = Tekkenizer.from_file(out + "/tekken.json")
    with open(out + "/tekken.json.ids", "w") as f:
        f.writelines(" ".join(map(str, tekken.encode(t, bos=False, eos=False))) + "\n" for t in texts)


if __name__ == "__main__":
    main()
