#!/usr/bin/env python3
"""Ids of tokenizer.json files against the tokenizers library, for the texts of JSONL files and for generated ones
(adversarial.py): with special tokens as text and as tokens.

usage: huggingface.py [-n COUNT] [-r HOW] -m TOKENIZER.json... IDS TEXT.jsonl...
HOW is the last argument of ids.c. Of each file of texts every n-th can be taken: FILE:n.
"""
import argparse
import os

from tokenizers import Tokenizer

import compare


def library(path):
    t = Tokenizer.from_file(path)
    t.no_truncation()

    def encode(batch, parse):
        t.encode_special_tokens = not parse
        return (e.ids for e in t.encode_batch_fast(batch, add_special_tokens=False))

    return encode


def name_of(path):
    """LLaMA-3 of DIR/LLaMA-3.json and of DIR/LLaMA-3/tokenizer.json."""
    if os.path.basename(path) == "tokenizer.json":
        path = os.path.dirname(os.path.abspath(path))
    return os.path.basename(path).removesuffix(".json")


def main():
    p = argparse.ArgumentParser()
    compare.arguments(p)
    p.add_argument("-m", action="append", required=True)
    p.add_argument("-r", default="")
    p.add_argument("texts", nargs="*")
    args = p.parse_args()
    wrong = 0
    for path in args.m:
        command = [args.ids, path] + ([args.r] if args.r else [])
        wrong += compare.compare(name_of(path), command, library(path), compare.texts(args.texts, args.n))
    assert not wrong


if __name__ == "__main__":
    main()
