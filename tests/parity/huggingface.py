#!/usr/bin/env python3
"""Ids of a tokenizer.json against the tokenizers library, for the texts of JSONL files: with special tokens as text and
as tokens.

usage: huggingface.py IDS TOKENIZER.json [-r FLAG] TEXT.jsonl...
IDS is built by: cc -O2 -D_GNU_SOURCE -Iinclude -I. tests/parity/ids.c build/libinternal.a -o IDS, with the libraries of the Makefile
TEXT.jsonl may be compressed by zstd.
"""
import argparse
import io
import json
import struct
import subprocess

from tokenizers import Tokenizer

BATCH = 20000


def lines(path):
    if not path.endswith(".zst"):
        with open(path, encoding="utf-8") as f:
            yield from f
        return
    with subprocess.Popen(["zstd", "-dc", path], stdout=subprocess.PIPE) as p:
        yield from io.TextIOWrapper(p.stdout, encoding="utf-8")


def batches(paths):
    batch = []
    for path in paths:
        for line in lines(path):
            batch.append(json.loads(line)["text"])
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def ours(args, mode, texts):
    data = b"".join(struct.pack("<I", len(t)) + t for t in (text.encode() for text in texts))
    command = [args.ids, args.tokenizer, mode] + ([args.r] if args.r else [])
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    args.found = done.stderr.decode().strip()
    numbers, at = struct.unpack(f"<{len(done.stdout) // 4}I", done.stdout), 0
    for _ in texts:
        n = numbers[at]
        yield list(numbers[at + 1:at + 1 + n]) if n != 0xFFFFFFFF else None
        at += 1 + n


def main():
    p = argparse.ArgumentParser()
    p.add_argument("ids")
    p.add_argument("tokenizer")
    p.add_argument("texts", nargs="+")
    p.add_argument("-r", default="")
    args = p.parse_args()
    theirs = Tokenizer.from_file(args.tokenizer)
    theirs.no_truncation()
    count = tokens = different = 0
    for texts in batches(args.texts):
        for mode in ("keep", "parse"):
            theirs.encode_special_tokens = mode == "keep"
            want = [e.ids for e in theirs.encode_batch(texts, add_special_tokens=False)]
            for text, a, b in zip(texts, want, ours(args, mode, texts)):
                count += 1
                tokens += len(a)
                different += a != b
                if a != b and different < 5:
                    at = next((i for i, (x, y) in enumerate(zip(a, b or [])) if x != y), min(len(a), len(b or [])))
                    print(mode, repr(text[:300]), "at", at, a[at:at + 10], (b or [])[at:at + 10])
    print(f"{args.tokenizer}: {args.found}: {different} of {count} encodings differ, {tokens} ids")
    assert not different


if __name__ == "__main__":
    main()
