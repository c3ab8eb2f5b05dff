#!/usr/bin/env python3
"""AutoTokenizer on a model directory must give the ids of SentencePiece for its tokenizer.model, with the BOS before
them, and decode them to the same text: for texts that begin with, end with or repeat spaces, line ends, tabs, emoji,
characters without a piece, special names, and for random ones.

usage: tokenizer.py DIR [TEXT.jsonl...]
"""
import json
import random
import sys

import sentencepiece
import transformers

ODD = ["", " ", "  ", "   ", "a", " a", "  a", "   a", "a ", "a  ", "a   b", "\n", "\n\n", "\t", "a\tb", " \n ", "\n a",
       "a\n b", "\r\n", "Once upon a time", "  Once  upon   a time ", "\u2581", "\u2581a", " \u2581 a", "caf\u00e9",
       "e\u0301", "\u6d77\u548c\u98ce\u3002", "\U0001f600 \U0001f600", "\U0001f469\u200d\U0001f680", "\u00a0a",
       "\u3000a", "\ufeffa", "\ufffd", "\x00", "a\x00b", "\x7f", "<s>", "</s> a", "<unk>", "a<s>b", "<0x0A>",
       "x<0x0A>", "anana", "nananana", "aaaaa", "." * 50, "hahahaha " * 3, "1234567890", "if x:\n        return\n"]
ALPHABET = list(" abcdehnorst \n\u2581.,T\u00e9\u6d77\U0001f600")


def texts():
    yield from ODD
    for n in range(200):
        yield from (" " * n, " " * n + "a", "a" + " " * n + "b", "\n" + " " * n + "if")
    chance = random.Random(1)
    for _ in range(5000):
        yield "".join(chance.choice(ALPHABET) for _ in range(chance.randrange(1, 40)))
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as f:
            yield from (json.loads(line)["text"] for line in f)


def main():
    ours = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1] + "/tokenizer.model")
    theirs = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
    count = different = 0
    for text in texts():
        want, got = ours.encode(text), theirs.encode(text, add_special_tokens=False)
        same = want == got and theirs.encode(text) == [ours.bos_id()] + want
        same = same and theirs.decode(got) == ours.decode(want)
        count += 1
        different += not same
        if not same and different < 10:
            print(repr(text), want, got)
    print(f"{type(theirs).__name__}: {different} of {count} texts differ from SentencePiece")
    assert not different


if __name__ == "__main__":
    main()
