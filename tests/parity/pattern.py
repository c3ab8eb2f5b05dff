#!/usr/bin/env python3
"""Parts of pre-tokenizers against the libraries they are from: Hugging Face tokenizers for every pattern, tiktoken
for those that are one expression; each by the scanner with and without SIMD, and by PCRE2. On generated texts of
characters that the expressions treat differently, and on the texts of the given files.

usage: pattern.py PARTS [-n COUNT] [-w WORD] [TEXT.jsonl...]
       pattern.py --cases >tests/unit/pattern_cases.h
"""
import argparse
import json
import random
import struct
import subprocess
import sys

import tiktoken
from tokenizers import Regex, pre_tokenizers

CASES = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LINES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
BEFORE = r"[^\r\n\p{L}\p{N}]?"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|" + LINES
CASED = f"{BEFORE}{UPPER}*{LOWER}+%s|{BEFORE}{UPPER}+{LOWER}*%s|"
DEEPSEEK = (r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
            r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
            r"| ?[\p{P}\p{S}]+[\r\n]*|" + LINES)
# Name: the name of the scanner, the steps.
PATTERNS = {
    "gpt2": ("gpt2", [GPT2]),
    "gpt2 of tiktoken": ("gpt2", [
        ("match", r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s")]),
    "gpt2, shorter": ("gpt2", [r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"]),
    "digits+gpt2": ("digits+gpt2", [None, GPT2]),
    "llama3": ("llama3", [CASES + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + LINES]),
    "cl100k, older": ("llama3", [r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}|"
                                 r" ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"]),
    "cl100k": ("cl100k", [("match", r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|"
                           r" ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s")]),
    "qwen2": ("qwen2", [CASES + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + LINES]),
    "qwen3.5": ("qwen3.5", [CASES + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + LINES]),
    "o200k": ("o200k", [CASED % (CASES + "?", CASES + "?") + r"\p{N}{1,3}|" + REST]),
    "tekken": ("tekken", [CASED % ("", "") + r"\p{N}|" + REST]),
    "deepseek": ("deepseek", list(DEEPSEEK)),
    # Without a scanner. Tiktoken panics at an empty match.
    "letters": ("PCRE2", [r"\p{L}+"]),
    "lines": ("PCRE2", [r"^\s*|\s+$|\d{2}"]),
    "look behind": ("PCRE2", [r"(?<=\p{Ll})(?=\p{Lu})|(?<!\s)\s"]),
    "punctuation": ("PCRE2", [r"[\p{P}\p{S}]", r"x*"]),
    "match of lines": ("PCRE2", [("match", r"^\s+|[^\S\n]+$|[a-fk]|(?i:k')")]),
}
EMPTY_MATCHES = {"lines", "look behind"}

ALPHABET = (
    list("abczABCZ") * 3 + ["s", "t", "re", "ve", "m", "ll", "d", "S", "T", "RE", "Ve", "M", "lL", "D", "\u017f", "K"] +
    ["'"] * 8 + ["'s", "'S", "'\u017f", "'re", "'LL", "''", "\u2019s"] + [" "] * 12 + ["  ", "   ", "        ", " " * 65] +
    ["\n", "\r", "\r\n", "\n\n", "\t", "\v", "\f", " \n", "\n ", "/", "//", "/\n"] * 2 +
    list("\x00\x01\x1b\x1c\x1f\x7f\x80\x85\xa0\xad\u1680\u180e\u2000\u2003\u200b\u200c\u200d\u200e\u2028\u2029\u202f\u205f"
         "\u2060\u3000\ufeff\ufffd\ue000\U000f0000\u0378") +
    list("0123456789") + ["12", "123", "1234", "\u0661\u0662", "\u0967", "\u2167", "\u00bd", "\u00b2", "\u3007", "\u2460",
                          "\U0001d7d8", "\U00011de0", "\U00016ff4", "\U00010e60"] +
    list("!\"#$%&()*+,-.:;<=>?@[]^_`{|}~") + ["...", "!!", "==", "->"] +
    list("\u00e9\u00c9\u00df\u01c5\u02b0\u00aa\u00ba\u0130\u0131\u1e9e\u0410\u0430\u0401\u0451\u03a3\u03c2\u05d0\u0627\u0915") +
    ["\u0301", "\u0308", "\u0327", "\u0323", "\u093e", "\u094d", "\u0e33", "\u0e48", "\u20e3", "\ufe0f", "\U000e0100",
     "e\u0301", "\u0e01\u0e33", "\u0915\u094d\u0937", "\u0345"] +
    list("\u4e2d\u6587\u9fa5\u9fa6\u9fff\u3400\u3041\u3042\u3097\u3099\u309b\u30a0\u30a2\u30fb\u30fc\u30ff\u3105\uac00"
         "\ud55c\u3040\u303f\u3100\uff21\uff41\uff11\u3001\u3002\u300c\U00020000\U0002ebf0") +
    ["\U0001f600", "\U0001f469\u200d\U0001f680", "\u2764\ufe0f", "\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea", "\u2030", "\u20ac",
     "\u2014", "\u201c", "\u201d", "\u2018", "\u00ab", "\u00b4", "\u02c6"] +
    ["\ua7dc", "\U00010d50", "\U00010d70", "\U00016d40", "\u1c89", "\u1c8a", "\u0295"])

# For tests/unit/pattern_cases.h.
CASES_BY_HAND = [
    'Hello world', "it's they'llx I'M", "IT'S they'LLx 'tis 're", "a'\u017fa !'s '\u017f", "it's's't'",
    "don't'T can'RE'", "''s '' 's", 'a 12345 1 22\xbd\xb2 x1y23z',
    '\u0661\u0662\u0663\u0664 \u2167\u2168 \U00011de0\U00011de1 1', '  1 a  1a', 'a  b   c\td\n e',
    'a \n  b\n\n \n  c  ', '\r\n\r\na\t\t \nb ', 'x\n\t', 'x  ', '\n  ', '!\n\n  a !!\r\n/x //\n//\n y/\nz',
    'foo(bar) !a !!a "q"', '(\xe9t\xe9 (ou\xf9 \u201cabc -\xe9', 'camelCase HTTPServer ABCdef XMLhttp aB',
    '\xc9cole \u0410\u0431\u0412 \u01c5x', '\u4e2d\u6587ABC \u4e2d\u6587ABc \u4e2dABC\u6587 a\u4e2dB',
    '\u4e2d\u6587\uff0c\u30ab\u30bf\u30ab\u30ca\u30fb\u3072\u3089 1\u4e2d2\n\u3042\n',
    'e\u0301a \u0301 \u0301x !\u0301 !!\u0301a\u0301 \u0301ABc\u0301A',
    '\u0e01\u0e33\u0e19\u0e49\u0e33 \u0915\u094d\u0937\u093e',
    '\U0001f469\u200d\U0001f680\u2764\ufe0f \u2764\ufe0f a\ufe0f',
    '\xa0a \u3000\u3000b\u2003 c\u200bd\ufeffe\x85f\u180eg', 'a\x01b \x01\x01c\x7f\x1cd',
    '\u3040\u3042\u3040\u3042 \u9fa5\u9fa6 a\u0378b', 'if x:\n        return  y\n',
    '\U0001d7d8\U0001d7d9\U0001d7da\U0001d7db', "''''a", 'a/b/c //d /\n\n/ /e', '\u1c89\u1c8a \U00010d50\U00010d70',
]


def generated(count):
    chance = random.Random(7)
    for i in range(count):
        if i % 8 == 0:  # few characters, long runs
            some = [chance.choice(ALPHABET) for _ in range(chance.randrange(1, 5))]
            yield "".join(chance.choice(some) * chance.choice((1, 1, 2, 3, 30, 70)) for _ in range(chance.randrange(1, 12)))
        elif i % 8 < 4:  # mostly ASCII
            words = [chance.choice(ALPHABET) if chance.random() < 0.1 else chance.choice(ALPHABET[:60])
                     for _ in range(chance.randrange(1, 120))]
            yield "".join(words)
        elif i % 8 == 4:  # any characters
            yield "".join(chr(chance.choice((chance.randrange(0x300), chance.randrange(0x3000), chance.randrange(0xd800),
                                             chance.randrange(0xe000, 0x20000)))) for _ in range(chance.randrange(1, 60)))
        else:
            yield "".join(chance.choice(ALPHABET) for _ in range(chance.randrange(1, 80)))


def ours(parts, mode, steps, texts):
    flags = []
    for s in steps:
        flags += ["-d"] if s is None else ["-m", s[1]] if isinstance(s, tuple) else ["-r", s]
    data = b"".join(struct.pack("<I", len(t)) + t for t in texts)
    done = subprocess.run([parts, mode, *flags], input=data, capture_output=True, check=False)
    if done.returncode: sys.exit(done.stderr.decode())
    out, at = [], 0
    for _ in texts:
        n, = struct.unpack_from("<I", done.stdout, at)
        out.append(struct.unpack_from(f"<{n}I", done.stdout, at + 4) if n != 0xffffffff else None)
        at += 4 + 4 * n if n != 0xffffffff else 4
    return out, done.stderr.decode().strip()


def split_of(steps):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True) if s is None else pre_tokenizers.Split(Regex(s), "isolated")
        for s in steps])


def ends_of(split, text):
    ends, at = [], 0
    for part, _ in split.pre_tokenize_str(text):
        at += len(part.encode())
        ends.append(at)
    return tuple(ends)


def pairs_of(expression):
    """An encoding in which any two bytes merge: ids differ where the parts do."""
    ranks = {bytes([i]): i for i in range(256)}
    order = list(range(1 << 16))
    random.Random(3).shuffle(order)
    ranks.update({i.to_bytes(2, "big"): 256 + rank for rank, i in enumerate(order)})
    return tiktoken.Encoding("pairs", pat_str=expression, mergeable_ranks=ranks, special_tokens={})


def compare(name, parts, texts, scanner, steps):
    raw = [t.encode() for t in texts]
    only_match = isinstance(steps[0], tuple)
    split = None if only_match else split_of(steps)
    want = None if only_match else [ends_of(split, t) for t in texts]
    single = steps[0] if len(steps) == 1 and name not in EMPTY_MATCHES else None
    bad = 0

    def differ(i, how, got, wanted):
        nonlocal bad
        bad += 1
        if bad <= 5: print(f"  {name}, {how}: {texts[i]!a}\n    {got}\n    {wanted}")

    for mode in ("simd", "scalar", "pcre2"):
        got, used = ours(parts, mode, steps, raw)
        assert used == ("PCRE2" if mode == "pcre2" else scanner), (name, used)
        if want is None:
            if mode == "simd": want = got
        for i, (g, w) in enumerate(zip(got, want)):
            if g != w: differ(i, mode, g, w)
    if single:
        encoding = pairs_of(single[1] if only_match else single)
        got, _ = ours(parts, "simd", [single if only_match else ("match", single)], raw)
        for i, (t, g) in enumerate(zip(texts, got)):
            ids, begin = [], 0
            for end in g or ():
                piece, begin = raw[i][begin:end & 0x7fffffff], end & 0x7fffffff
                if not end >> 31: ids += encoding._encode_single_piece(piece)
            if g is None or ids != encoding.encode_ordinary(t): differ(i, "tiktoken", g, None)
    print(f"{name}: {bad} of {len(texts)} texts differ")
    return bad


def c_string(text):
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
    out = ""
    for c in text:
        if c in known: out += known[c]
        elif c < " " or "\x7f" <= c < "\xa0": out += "".join(f"\\{b:03o}" for b in c.encode())
        else: out += c if c < "\x7f" else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"
    return out


def write_cases():
    print("/* pattern_cases.h -- written by tests/parity/pattern.py --cases: texts, and their parts as the libraries cut\n"
          " * them for these patterns. */\n/* clang-format off */\n"
          "static const struct {\n    const char *names, *parts;\n} cases[] = {")
    for text in CASES_BY_HAND:
        ways = {}
        for name, (_, steps) in PATTERNS.items():
            if name in ("gpt2", "digits+gpt2", "llama3", "qwen2", "qwen3.5", "o200k", "tekken", "deepseek"):
                parts = tuple(part for part, _ in split_of(steps).pre_tokenize_str(text))
                ways.setdefault(parts, []).append(name)
        for parts, names in ways.items():
            print(f'    {{ "{" ".join(names)}",\n      "{"|".join(map(c_string, parts))}" }},')
    print("};")


def main():
    if sys.argv[1:] == ["--cases"]: return write_cases()
    ask = argparse.ArgumentParser()
    ask.add_argument("parts")
    ask.add_argument("files", nargs="*")
    ask.add_argument("-n", type=int, default=20000, help="generated texts")
    ask.add_argument("-w", default="", help="only patterns whose name contains it")
    args = ask.parse_intermixed_args()
    texts = list(generated(args.n))
    for path in args.files:
        with open(path, encoding="utf-8", errors="replace") as f:
            for line in f:
                try:
                    texts.append(json.loads(line)["text"].encode("utf-8", "replace").decode())
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    continue
    bad = sum(compare(name, args.parts, texts, *p) for name, p in PATTERNS.items() if args.w in name)
    print(f"{len(texts)} texts, {sum(map(len, texts))} characters")
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
