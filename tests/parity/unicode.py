#!/usr/bin/env python3
"""Unicode's properties and normalization over all code points, against the Hugging Face tokenizers library
(Oniguruma), tiktoken (regular expressions of Rust) and PCRE2, as far as its way in longmix goes.

usage: unicode.py PARTS

What this found with tokenizers 0.23.3, tiktoken 0.14.0 and PCRE2 10.42:
* \\p{..} and \\s of the first two are equal for all code points, and equal to the tables (Unicode 16.0).
* PCRE2 itself has Unicode 14.0. It lacks 9,272 letters, 120 numbers, 93 marks, 36 signs of punctuation and
  773 symbols of 16.0, and one of its \\p{Mn} is Mc now. Its \\s has U+180E, which is no White_Space.
  lib/tokenizer/pattern/regex.c adds what its version lacks, so that nothing differs here.
* The step "Digits" has 13 numbers more: U+11DE0 to U+11DE9, U+16FF4 to U+16FF6 (Unicode 17.0).
* NFC of tokenizers is that of Unicode 9.0. That of 16.0 is compared with unicodedata2.
"""
import ctypes
import ctypes.util
import random
import struct
import subprocess
import sys

import tiktoken
import unicodedata2
from tokenizers import Regex, normalizers, pre_tokenizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
CATEGORIES = ["L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe",
              "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "Cc", "Cf", "Cn", "Co"]
SETS = {"Lu": 1, "Lt": 1, "Ll": 2, "Lm": 4, "Lo": 4, "M": 8, "N": 16, "P": 64, "S": 128}
failed = 0


def show(what, a, b=frozenset()):
    """Report a difference of two sets."""
    global failed
    if a != b:
        failed += 1
        some = " ".join(f"{c:X}" for c in sorted(a ^ b)[:20])
        print(f"{what}: {len(a - b)} more, {len(b - a)} fewer: {some}")


def run(parts, *args, texts):
    data = b"".join(struct.pack("<I", len(t)) + t for t in texts)
    return subprocess.run([parts, *args], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def blocks():
    for i in range(0, len(CODES), 4096):
        yield "".join(map(chr, CODES[i:i + 4096]))


def of_tokenizers(expression):
    """The code points that an expression matches: the others are what is left without them."""
    split = pre_tokenizers.Split(Regex(expression), "removed")
    found = set(CODES)
    for text in blocks():
        for part, _ in split.pre_tokenize_str(text): found.difference_update(map(ord, part))
    return found


def of_tiktoken(expression):
    single = {bytes([i]): i for i in range(256)}
    e = tiktoken.Encoding("bytes", pat_str=expression, mergeable_ranks=single, special_tokens={})
    return {ord(c) for text in blocks() for c in e.decode(e.encode_ordinary(text))}


def of_parts(parts, expression):
    """PCRE2, with the expression as longmix rewrites it; a part without ids did not match."""
    texts = [t.encode() for t in blocks()]
    out, at, found = run(parts, "pcre2", "-m", expression, texts=texts), 0, set()
    for t in texts:
        n, = struct.unpack_from("<I", out, at)
        begin = 0
        for end in struct.unpack_from(f"<{n}I", out, at + 4):
            if not end >> 31: found.update(map(ord, t[begin:end].decode()))
            begin = end & 0x7fffffff
        at += 4 + 4 * n
    return found


def of_pcre2(expression):
    """PCRE2 itself."""
    lib = ctypes.CDLL(ctypes.util.find_library("pcre2-8"))
    lib.pcre2_compile_8.restype = lib.pcre2_match_data_create_8.restype = ctypes.c_void_p
    lib.pcre2_get_ovector_pointer_8.restype = ctypes.POINTER(ctypes.c_size_t)
    error, at = ctypes.c_int(), ctypes.c_size_t()
    text = expression.encode()
    code = ctypes.c_void_p(lib.pcre2_compile_8(text, ctypes.c_size_t(len(text)), 0x000A0000, ctypes.byref(error),
                                               ctypes.byref(at), None))  # PCRE2_UTF | PCRE2_UCP
    data = ctypes.c_void_p(lib.pcre2_match_data_create_8(1, None))
    found = set()
    for t in blocks():
        t, at = t.encode(), 0
        while lib.pcre2_match_8(code, t, ctypes.c_size_t(len(t)), ctypes.c_size_t(at), 0, data, None) > 0:
            begin, at = lib.pcre2_get_ovector_pointer_8(data)[:2]
            found.update(map(ord, t[begin:at].decode()))
    return found


def properties(parts):
    out = subprocess.run([parts, "sets"], stdout=subprocess.PIPE, check=True).stdout
    category = {c: out[3 * c + 1:3 * c + 3].decode() for c in CODES}
    spaces = {c for c in CODES if out[3 * c] & 32}
    show("sets and categories", {c for c in CODES if out[3 * c] & ~32 != SETS.get(
        category[c], SETS.get(category[c][0], 0))})
    for name in CATEGORIES:
        ours = {c for c in CODES if category[c].startswith(name)}
        expression = rf"\p{{{name}}}"
        show(f"{name}: tables and tokenizers", ours, of_tokenizers(expression))
        show(f"{name}: tables and tiktoken", ours, of_tiktoken(expression))
        show(f"{name}: tables and PCRE2 as rewritten", ours, of_parts(parts, expression + "+"))
        show(f"{name}: not, PCRE2 as rewritten", set(CODES) - ours, of_parts(parts, rf"\P{{{name}}}+"))
        theirs = of_pcre2(expression + "+")
        if theirs != ours:
            print(f"  \\p{{{name}}}: {len(ours)} code points; PCRE2 itself lacks {len(ours - theirs)}, has "
                  f"{len(theirs - ours)} others")
    for expression, want in ((r"\s", spaces), (r"\S", set(CODES) - spaces), (r"[^\s\p{L}\p{N}]", {
            c for c in CODES if c not in spaces and category[c][0] not in "LN"})):
        show(f"{expression}: tokenizers", want, of_tokenizers(expression))
        show(f"{expression}: tiktoken", want, of_tiktoken(expression))
        show(f"{expression}: PCRE2 as rewritten", want, of_parts(parts, expression + "+"))
    print("  \\s of PCRE2 itself, but not White_Space:", *(f"U+{c:04X}" for c in of_pcre2(r"\s+") - spaces))
    digits = pre_tokenizers.Digits(individual_digits=True)
    theirs = {c for c in CODES if len(digits.pre_tokenize_str(f"a{chr(c)}a")) == 3}
    texts = [f"a{chr(c)}a".encode() for c in CODES]
    out, at, ours = run(parts, "pcre2", "-d", texts=texts), 0, set()
    for c in CODES:
        n, = struct.unpack_from("<I", out, at)
        if n == 3: ours.add(c)
        at += 4 + 4 * n
    show("Digits", ours, theirs)
    show("Digits and N", theirs - {c for c in CODES if category[c][0] == "N"},
         {*range(0x11DE0, 0x11DEA), *range(0x16FF4, 0x16FF7)})
    return [chr(c) for c in CODES if category[c][0] == "M"]


def normalization(parts, marks):
    forms = {"9": normalizers.NFC().normalize_str, "16": lambda t: unicodedata2.normalize("NFC", t)}
    around = {c: "e" + chr(c) + "\u0327\u0301" + chr(c) for c in CODES}
    texts = [chr(c) for c in CODES] + list(around.values())
    # Pairs: any character before those that compose, taken from what form C takes apart.
    chance = random.Random(1)
    whole = {c: unicodedata2.normalize("NFD", chr(c)) for c in CODES}
    apart = [d for d in whole.values() if len(d) > 1]
    seconds = sorted({d[-1] for d in apart})
    texts += apart
    texts += [d[:-1] + m + d[-1] for d in apart for m in ("\u0327", "\u0323", "\u0301", "\u0334")]
    texts += [chr(c) + s for s in chance.sample(seconds, min(40, len(seconds))) for c in chance.sample(CODES, 2000)]
    some = marks + seconds + list("ae \u4e2d\uac00\uac01\u1100\u1161\u11a8\u00e9\u1e69")
    texts += ["".join(chance.choice(some) for _ in range(chance.randrange(1, 12))) for _ in range(200000)]
    # What the two versions do not have in common, alone and with the rest.
    nfd = normalizers.NFD().normalize_str
    late = {x for c in CODES if nfd(chr(c)) != whole[c] for x in chr(c) + whole[c]}
    composing = sorted(late)
    late |= {chr(c) for c, t in around.items() if len({form(t) for form in forms.values()}) > 1}
    late = sorted(late)
    print(f"{len(late)} characters are handled differently by the two versions")
    texts += [a + b for a in late for b in late]
    texts += [a + b + c for a in composing for b in composing for c in composing]
    for some in (late, late + some):
        texts += ["".join(chance.choice(some) for _ in range(chance.randrange(1, 12))) for _ in range(200000)]
    data = [t.encode() for t in texts]
    for version, form in forms.items():
        out, at, bad = run(parts, "nfc", version, texts=data), 0, 0
        for t in texts:
            n, = struct.unpack_from("<I", out, at)
            want = form(t)
            if out[at + 4:at + 4 + n].decode() != want:
                bad += 1
                if bad < 10: print(ascii(t), ascii(want), ascii(out[at + 4:at + 4 + n].decode()))
            at += 4 + n
        show(f"NFC of Unicode {version}", set(range(bad)))
        print(f"{len(texts)} texts normalized by Unicode {version}, {bad} differ")


if __name__ == "__main__":
    normalization(sys.argv[1], properties(sys.argv[1]))
    print(f"{failed} properties differ")
    sys.exit(failed != 0)
