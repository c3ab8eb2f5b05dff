"""Tokenize the same documents from memory with each installed tokenizer, one thread each. Compare
the ids with those of longmix and print MB of text per second. Called by bench/peers.sh.

usage: peers.py TOKENIZER TEXTS IDS REPEATS [PATTERN]
TEXTS has TYPE.jsonl for each type of text; IDS has TYPE.ids with the ids of longmix to compare with
(`lmcat --ids`, one document per line, no BOS). PATTERN names the expression of a rank file."""
import base64
import glob
import json
import os
import statistics
import sys
import time

tokenizer, folder, ids_folder, repeats = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
pattern = sys.argv[5] if len(sys.argv) > 5 else ""
os.environ["TOKENIZERS_PARALLELISM"] = "false"

WORDS = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|NUMBERS| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
PATTERNS = {"llama3": WORDS.replace("NUMBERS", r"\p{N}{1,3}"), "qwen2": WORDS.replace("NUMBERS", r"\p{N}")}


def load(path):
    with open(path, encoding="utf-8", newline="\n") as f:
        return [json.loads(line)["text"] for line in f]


def ours(path):
    with open(path) as f:
        return [[int(x) for x in line.split()] for line in f]


def rank_file(path):
    with open(path, "rb") as f:
        pairs = [line.split() for line in f if line.strip()]
    return {base64.b64decode(text): int(rank) for text, rank in pairs}


def last_pair(piece, ranks):
    """The two pieces that are left when the text of a piece is merged alone."""
    parts = [piece[i:i + 1] for i in range(len(piece))]
    while len(parts) > 2:
        best = min((ranks.get(parts[i] + parts[i + 1], len(ranks)), i) for i in range(len(parts) - 1))
        if best[0] == len(ranks):
            return None
        parts[best[1]:best[1] + 2] = [parts[best[1]] + parts[best[1] + 1]]
    return parts


def as_tokenizer_json(ranks):
    """A rank file as tokenizer.json, with one merge for each piece that merges make."""
    itself = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b]
    others = [b for b in range(256) if b not in itself]
    letter = {b: chr(b) for b in itself} | {b: chr(256 + i) for i, b in enumerate(others)}
    text = lambda piece: "".join(letter[b] for b in piece)
    order = sorted((p for p in ranks if len(p) > 1), key=ranks.get)
    merges = [[text(a) for a in pair] for pair in (last_pair(p, ranks) for p in order) if pair]
    split = {"type": "Split", "pattern": {"Regex": PATTERNS[pattern]}, "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
             "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
             "vocab": {text(p): rank for p, rank in ranks.items()}, "merges": merges}
    return json.dumps({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
                       "normalizer": None, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]},
                       "post_processor": None, "decoder": level, "model": model})


def sentencepiece_peers():
    import sentencepiece
    import gigatoken
    from gigatoken._load.sentencepiece import sentencepiece_to_tokenizer_json
    sp = sentencepiece.SentencePieceProcessor(model_file=tokenizer)
    yield ("SentencePiece " + sentencepiece.__version__, lambda: sp,
           lambda t, texts, raw: [t.encode(x) for x in texts], 1)
    yield ("gigatoken", lambda: gigatoken.Tokenizer.from_sentencepiece(tokenizer),
           lambda t, texts, raw: t.encode_batch(raw, parallel=False), repeats)
    yield from hugging_face(sentencepiece_to_tokenizer_json(open(tokenizer, "rb").read()))


def byte_level_peers():
    import gigatoken
    if pattern:
        import tiktoken
        ranks = rank_file(tokenizer)
        text = as_tokenizer_json(ranks)
        t = tiktoken.Encoding("peer", pat_str=PATTERNS[pattern], mergeable_ranks=ranks, special_tokens={})
        yield ("tiktoken " + tiktoken.__version__, lambda: t,
               lambda t, texts, raw: [t.encode_ordinary(x) for x in texts], 1)
    else:
        text = open(tokenizer, encoding="utf-8").read()
    yield ("gigatoken", lambda: gigatoken.Tokenizer.from_json(text.encode()),
           lambda t, texts, raw: t.encode_batch(raw, parallel=False), repeats)
    yield from hugging_face(text)


def hugging_face(text):
    import tokenizers
    yield ("HF tokenizers " + tokenizers.__version__, lambda: tokenizers.Tokenizer.from_str(text),
           lambda t, texts, raw: [e.ids for e in t.encode_batch(texts, add_special_tokens=False)], 1)


def measure(name, make, encode, times, texts, raw):
    """MB/s of the first pass and of the second, medians, and the ids."""
    size, first, again = sum(map(len, raw)), [], []
    for _ in range(times):
        tool = make()                           # start with an empty cache
        for rates in first, again:
            start = time.perf_counter()
            ids = encode(tool, texts, raw)
            rates.append(size / (time.perf_counter() - start) / 1e6)
            if times == 1:
                break
    return statistics.median(first), statistics.median(again) if again else None, ids


print("type\ttool\tMB/s\tdocuments\tdiffer")
make_peers = byte_level_peers if pattern or tokenizer.endswith(".json") else sentencepiece_peers
try:
    peers = list(make_peers())
except ImportError as error:
    sys.exit(f"peers: {error}")
for path in sorted(glob.glob(folder + "/*.jsonl")):
    kind = os.path.basename(path)[:-6]
    texts = load(path)
    raw = [t.encode() for t in texts]
    want = ours(f"{ids_folder}/{kind}.ids")
    assert len(want) == len(texts), (kind, len(want), len(texts))
    for name, make, encode, times in peers:
        first, again, ids = measure(name, make, encode, times, texts, raw)
        differ = sum(list(a) != b for a, b in zip(ids, want))
        print(f"{kind}\t{name}\t{first:.1f}\t{len(texts)}\t{differ}", flush=True)
        if again:
            print(f"{kind}\t{name}, again\t{again:.1f}\t{len(texts)}\t{differ}", flush=True)
