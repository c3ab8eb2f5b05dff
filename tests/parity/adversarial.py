#!/usr/bin/env python3
"""Documents on which tokenizers disagree, from a seed: all scripts, combining marks, digits, spaces of every kind,
controls, emoji sequences, contractions in both cases, very long runs, CJK, mixed line ends, texts of special tokens.

usage: adversarial.py COUNT [SEED] >FILE.jsonl
"""
import json
import random
import sys
import unicodedata

# Every code point that Python knows, by general category. Surrogates cannot be in a document.
LETTERS, MARKS, NUMBERS, SPACES, OTHER, UNASSIGNED = [], [], [], [], [], []
for code in range(1, 0x110000):
    category = unicodedata.category(chr(code))
    if category == "Cs":
        continue
    if category == "Cn":
        if code % 97 == 0:
            UNASSIGNED.append(chr(code))
    elif category == "Co":
        if code % 997 == 0:
            UNASSIGNED.append(chr(code))
    elif category[0] == "L":
        LETTERS.append(chr(code))
    elif category[0] == "M":
        MARKS.append(chr(code))
    elif category[0] == "N":
        NUMBERS.append(chr(code))
    elif category[0] == "Z" or chr(code).isspace():
        SPACES.append(chr(code))
    else:
        OTHER.append(chr(code))
# Blocks of 128 code points that have letters: words of one script.
BLOCKS = {}
for letter in LETTERS:
    BLOCKS.setdefault(ord(letter) // 128, []).append(letter)
BLOCKS = list(BLOCKS.values())
CASED = [c for c in LETTERS if c.lower() != c or c.upper() != c]
CONTROLS = [chr(c) for c in range(32)] + [chr(c) for c in range(127, 160)]
JOINERS = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u061c", "\u202e", "\u2066", "\ufe0f"]
ENDS = ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\n\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", " \n", "\n ", "\t\n"]
EMOJI = ["\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f44d\U0001f3fd",
         "\U0001f1e9\U0001f1ea", "\U0001f1eb", "1\ufe0f\u20e3", "\u2764\ufe0f\u200d\U0001f525", "\u2620\ufe0e",
         "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "\U0001faf1\U0001f3fb", "\u00a9", "\u3030"]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'M", "'lL", "'D", "\u2019s",
                "\u2019t", "'\u017f", "'\u212a", "''s", "'x", "'re'll", "'s's", "' s", "'llo", "'d've"]
WORDS = ("the of and tokenizer Tokenizer TOKENIZER camelCase HTTPServer don I we you'd I'LL rock'n'roll 3rd x86_64 "
         "foo.bar() http://a.example/b?c=d&e=%20 --flag == != <= => -> :: /* */ // # ## ### ``` \"quoted\" (a) [b] {c} "
         "1234567890 12 345 6,789.01 1e-9 0xFF 2024-01-31 \u00bd \u00b2 \u2460 \u06f3\u06f4 \u0969 \u5341 \u216b caf\u00e9 cafe\u0301 "
         "na\u00efve \u0130stanbul \u01c5 \u1e9e stra\u00dfe \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2 \u041c\u043e\u0441\u043a\u0432\u0430 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \ud55c\uad6d\uc5b4 "
         "\u1112\u1161\u11ab \u65e5\u672c\u8a9e \u3072\u3089\u304c\u306a \u30ab\u30bf\u30ab\u30ca \uff86\uff8e\uff9d\uff7a\uff9e \u4e2d\u6587\uff0c\u3002 \uff21\uff22\uff23 \ufb01 \u2126 \u212b \u1e69 s\u0323\u0307 q\u0307\u0323").split(" ")
SPECIAL = ["<s>", "</s>", "<unk>", "[INST]", "[/INST]", "<|endoftext|>", "<|begin_of_text|>", "<|eot_id|>", "<|im_start|>",
           "<|im_end|>", "<think>", "</think>", "<|extra_0|>", "<0x0A>", "\u2581", "\u2581\u2581", "\u0120", "\uff5c", "<|",
           "|>", "<\uff5cbegin\u2581of\u2581sentence\uff5c>", "\ufffd", "\ufffe", "\U0010ffff"]


def run(r):
    """A run of one character or of one short text."""
    what = r.choice([" ", "\n", "\t", "\r\n", "a", "A", "0", "7", ".", "-", "=", "'", "\u4e00", "\u0301", "\u00a0", "\u3000", "ab",
                     "\U0001f600", "\u0e01", r.choice(LETTERS), r.choice(MARKS), r.choice(SPACES), r.choice(OTHER)])
    length = r.choice([2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 130])
    if r.random() < 0.002:
        length = r.randrange(1000, 5000)
    return what * length


def part(r):
    kind = r.randrange(16)
    if kind < 3:
        return r.choice(WORDS)
    if kind == 3:
        block = r.choice(BLOCKS)
        return "".join(r.choice(block) for _ in range(r.randrange(1, 9)))
    if kind == 4:
        return "".join(r.choice(CASED) for _ in range(r.randrange(1, 6)))
    if kind == 5:
        return r.choice(LETTERS) + "".join(r.choice(MARKS) for _ in range(r.randrange(1, 4)))
    if kind == 6:
        return "".join(r.choice(NUMBERS if r.random() < 0.3 else "0123456789") for _ in range(r.randrange(1, 9)))
    if kind == 7:
        return "".join(r.choice(SPACES if r.random() < 0.4 else "  \t\n") for _ in range(r.randrange(1, 6)))
    if kind == 8:
        return r.choice(CONTROLS if r.random() < 0.5 else JOINERS)
    if kind == 9:
        return "".join(r.choice(EMOJI) for _ in range(r.randrange(1, 4)))
    if kind == 10:
        return r.choice(WORDS) + r.choice(CONTRACTIONS)
    if kind == 11:
        return run(r)
    if kind == 12:
        return r.choice(ENDS)
    if kind == 13:
        return "".join(chr(r.randrange(0x4e00, 0x9fff)) for _ in range(r.randrange(1, 12))) + r.choice(["\u3002", "\uff0c", ""])
    if kind == 14:
        return "".join(r.choice(OTHER if r.random() < 0.4 else "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~")
                       for _ in range(r.randrange(1, 6)))
    return r.choice(SPECIAL if r.random() < 0.5 else UNASSIGNED)


def documents(count, seed=1):
    """`count` texts; the same for a seed and a version of Unicode in Python."""
    r = random.Random(seed)
    for _ in range(count):
        pieces = []
        for _ in range(r.choice([1, 1, 2, 3, 4, 6, 10, 20])):
            pieces.append(part(r))
            if r.random() < 0.4:
                pieces.append(" ")
        yield "".join(pieces)


def main():
    for text in documents(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1):
        print(json.dumps({"text": text}))


if __name__ == "__main__":
    main()
