#!/usr/bin/env python3
"""Small tokenizers of each kind that a tokenizer.json can have, trained on the essays of tests/data, and the ids that the
tokenizers library gives for texts on which readers disagree. tests/unit/test_huggingface.c reads both.

usage: huggingface_data.py   (writes tests/data/huggingface/)
"""
import glob
import json
import os
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data")
OUT = os.path.join(DATA, "huggingface")
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
          r"\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
SPECIAL = ["<|end|>", "<|im_start|>"]
ADDED = [AddedToken("<left>", lstrip=True, normalized=False), AddedToken("<right>", rstrip=True, normalized=False),
         AddedToken("word", single_word=True, normalized=False), AddedToken("<both>", lstrip=True, rstrip=True,
                                                                            normalized=False)]
MARK = "\u2581"
ODD = ["", " ", "  ", "a", " a", "  a b  ", "\n", "\t\n a\r\n", "The words of the essays.", "I'm we'LL they'd 'x",
       "12 3456 7890123 \u00bd \u0663\u0664", "caf\u00e9 cafe\u0301 \u212b \u1e9b\u0323 \u1112\u1161\u11ab", MARK, MARK + "a " + MARK + MARK, "\u0120a",
       "\u6d77\u548c\u98ce\u3002 \u3072\u3089\u304c\u306a \ud55c\uad6d", "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f", "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd \u0928\u092e\u0938\u094d\u0924\u0947",
       "\x01\x02\x7f\x85\xa0\u2028\u3000x", "<|end|>", "a<|end|>b", "a <|end|> b<|im_start|>", "<|end|><|end|> x", "<|end",
       "a  <left>  b", "a  <right>  b", "a \n<both>\t b", "<left><right>", "word words sword word, word_ \u00e9word word\u00e9 word",
       "x<left> <|end|> <right> y", "<unk> a", "<s>x</s>", "<0x0A>x", "a" * 40, " " * 37 + "x", "ab" * 30, "=-" * 20,
       "\ufffd\ufeff\u200b", "e" + "\u0301" * 9, "<norm> x", "caf<norm>e\u0301<norm>\u0338"]
ALPHABET = list(" abcdehnorst \n\t.,'T0123\u00e9\u0301\u6d77\U0001f600" + MARK) + ["the ", " of", "<left>", "<right>", "word",
                                                                    "<|end|>", "<both>", " word ", "\r\n", "<s>"]


def essays():
    for path in sorted(glob.glob(os.path.join(DATA, "essays", "*"))):
        with open(path, encoding="utf-8") as f:
            yield from f.read().split("\n")


def texts(name):
    yield from ODD
    chance = random.Random(name)
    for _ in range(30):
        yield "".join(chance.choice(ALPHABET) for _ in range(chance.randrange(1, 30)))


def train(model, pre, normalizer=None, alphabet=True, size=420, special=SPECIAL):
    t = Tokenizer(model)
    if normalizer:
        t.normalizer = normalizer
    if pre:
        t.pre_tokenizer = pre
    byte_level = pre_tokenizers.ByteLevel.alphabet() if alphabet else []
    t.train_from_iterator(essays(), trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False,
                                                        initial_alphabet=byte_level, limit_alphabet=400))
    return t


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def byte_level(pre, normalizer=None, **more):
    t = train(models.BPE(**more), pre, normalizer)
    t.decoder = decoders.ByteLevel()
    t.add_tokens(ADDED)
    return t


def holes(**more):
    special = SPECIAL + (["<unk>"] if more else [])
    t = train(models.BPE(**more), pre_tokenizers.ByteLevel(add_prefix_space=False), alphabet=False, special=special,
              size=300)
    t.decoder = decoders.ByteLevel()
    return t


def characters(pre, normalizer, decoder, pieces=None, size=560, **model):
    """Trained with the pieces of bytes as special tokens, which are none in the file."""
    pieces = [f"<0x{i:02X}>" for i in range(256)] if pieces is None else pieces
    t = train(models.BPE(unk_token="<unk>", **model), pre, normalizer, alphabet=False, size=size,
              special=["<unk>", "<s>", "</s>"] + pieces)
    o = json.loads(t.to_str())
    o["added_tokens"] = [a for a in o["added_tokens"] if not a["content"].startswith("<0x")]
    o["decoder"] = decoder
    t = Tokenizer.from_str(json.dumps(o))
    t.add_tokens(ADDED)
    return t


def llama_decoder(strip=True):
    steps = [{"type": "Replace", "pattern": {"String": MARK}, "content": " "}, {"type": "ByteFallback"},
             {"type": "Fuse"}]
    return {"type": "Sequence", "decoders": steps + [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] * strip}


def metaspace(scheme, split_words=True):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": split_words}


def prepend():
    return normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])


def normalized():
    t = byte_level(split(QWEN2), normalizers.NFC())
    t.add_tokens([AddedToken("<norm>", normalized=True)])
    return t


def kinds():
    yield "gpt2", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
    yield "prefix", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True))
    yield "digits", byte_level(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                        pre_tokenizers.ByteLevel(add_prefix_space=False)]))
    yield "llama3", byte_level(split(LLAMA3), ignore_merges=True)
    yield "qwen2", normalized()
    yield "expression", byte_level(split(r"[aeiou]+|\s"))
    yield "holes", holes()
    yield "holes-unk", holes(unk_token="<unk>")
    yield "llama2", characters(None, prepend(), llama_decoder(), byte_fallback=True, fuse_unk=True)
    yield "spaces", characters(None, normalizers.Replace(" ", MARK), llama_decoder(False), byte_fallback=True)
    yield "first", characters(pre_tokenizers.Metaspace(MARK, "first", False), None, metaspace("first", False),
                              byte_fallback=True)
    yield "always", characters(pre_tokenizers.Metaspace(MARK, "always", True), None, metaspace("always"),
                               byte_fallback=True, fuse_unk=True)
    yield "unknown", characters(pre_tokenizers.Metaspace(MARK, "first", True), None, metaspace("first"),
                                pieces=["<0xC3>", "<0xA9>", "<0xCC>", "<0x81>"], size=250, byte_fallback=True)
    yield "fused", characters(None, normalizers.Sequence([normalizers.NFC(), normalizers.Replace("th", "T")]), None,
                              pieces=[], size=250, fuse_unk=True)


def main():
    os.makedirs(OUT, exist_ok=True)
    for name, t in kinds():
        cases = []
        for text in texts(name):
            t.encode_special_tokens = True
            keep = t.encode(text, add_special_tokens=False).ids
            t.encode_special_tokens = False
            parse = t.encode(text, add_special_tokens=False).ids
            case = {"text": text, "keep": " ".join(map(str, keep))}
            if parse != keep:
                case["parse"] = " ".join(map(str, parse))
            decoded = t.decode(parse)
            if t.decoder and "\ufffd" not in decoded:
                case["decoded"] = decoded
            cases.append(case)
        model = json.loads(t.to_str())
        model["model"]["merges"] = [m if name in ("llama3", "llama2") else " ".join(m) for m in model["model"]["merges"]]
        with open(os.path.join(OUT, name + ".json"), "w", encoding="utf-8") as f:
            json.dump(model, f, ensure_ascii=False, separators=(",", ":"))
            f.write("\n")
        with open(os.path.join(OUT, name + ".golden.json"), "w", encoding="utf-8") as f:
            f.write("[\n" + ",\n".join(json.dumps(c, ensure_ascii=True) for c in cases) + "\n]\n")


if __name__ == "__main__":
    main()
