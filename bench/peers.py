"""Tokenize the same documents from memory with each installed tokenizer, one thread each. Compare
the ids with those of longmix and print MB of text per second. Called by bench/peers.sh.

usage: peers.py MODEL DIR REPEATS
DIR has two files per text type: TYPE.jsonl, and TYPE.ids with the ids of longmix to compare with
(`lmcat --ids`, one document per line, no BOS)."""
import glob
import json
import os
import statistics
import sys
import time

model, folder, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])


def load(path):
    with open(path, encoding="utf-8", newline="\n") as f:
        return [json.loads(line)["text"] for line in f]


def ours(path):
    with open(path) as f:
        return [[int(x) for x in line.split()] for line in f]


def peers():
    try:
        import sentencepiece
        sp = sentencepiece.SentencePieceProcessor(model_file=model)
        yield "SentencePiece " + sentencepiece.__version__, lambda: sp, lambda t, texts, raw: [t.encode(x) for x in texts], 1
    except ImportError:
        print("sentencepiece: not importable", file=sys.stderr)
    try:
        import gigatoken
        yield ("gigatoken", lambda: gigatoken.Tokenizer.from_sentencepiece(model),
               lambda t, texts, raw: t.encode_batch(raw, parallel=False), repeats)
    except ImportError:
        print("gigatoken: not importable", file=sys.stderr)
    try:
        import gigatoken
        import tokenizers
        from gigatoken._load.sentencepiece import sentencepiece_to_tokenizer_json
        text = sentencepiece_to_tokenizer_json(open(model, "rb").read())
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        yield ("HF tokenizers " + tokenizers.__version__, lambda: tokenizers.Tokenizer.from_str(text),
               lambda t, texts, raw: [e.ids for e in t.encode_batch(texts, add_special_tokens=False)], 1)
    except ImportError:
        print("tokenizers: not importable", file=sys.stderr)


print("type\ttool\tMB/s\tdocuments\tdiffer")
for path in sorted(glob.glob(folder + "/*.jsonl")):
    kind = os.path.basename(path)[:-6]
    texts = load(path)
    raw = [t.encode() for t in texts]
    size = sum(map(len, raw))
    want = ours(folder + "/" + kind + ".ids")
    assert len(want) == len(texts), (kind, len(want), len(texts))
    for name, make, encode, times in peers():
        rates = []
        for _ in range(times):
            tool = make()                       # start with an empty cache
            start = time.perf_counter()
            ids = encode(tool, texts, raw)
            rates.append(size / (time.perf_counter() - start) / 1e6)
        differ = sum(list(a) != b for a, b in zip(ids, want))
        print(f"{kind}\t{name}\t{statistics.median(rates):.1f}\t{len(texts)}\t{differ}", flush=True)
