#!/usr/bin/env python3
"""Write lib/tokenizer/unicode/tables.c from the Unicode Character Database.

usage: scripts/unicode.py >lib/tokenizer/unicode/tables.c

Properties are those of Unicode 16.0, which Oniguruma and the regex crate of Rust have as well. Normalization is
that of Unicode 16.0 and of 9.0, which the tokenizers library has: characters added later have combining class 0 there
and do not decompose. (What a version of Unicode normalizes is never changed by a later one, so that this is all of the
difference.) tests/parity/unicode.py compares all of it with the libraries, for all code points.

Needs two packages of PyPI, which contain the database:
    pip install unicodedata2==16.0.0 unicode-age==18.0.0.0
"""
import unicode_age
import unicodedata2 as ucd

PROPERTIES, FORMS = "16.0.0", ((9, 0), (16, 0))  # in the order of enum lm_nfc
CODES = 0x110000
# White_Space (PropList.txt): no property of the package. It has not changed since Unicode 6.3.
WHITE_SPACE = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
CATEGORIES = ["Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi",
              "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"]
SETS = {"Lu": 1, "Lt": 1, "Ll": 2, "Lm": 4, "Lo": 4, "M": 8, "N": 16, "P": 64, "S": 128}
SPACE = 32


def sets(c):
    category = ucd.category(chr(c))
    return SETS.get(category, SETS.get(category[0], 0)) | (SPACE if c in WHITE_SPACE else 0)


def known(c, version):
    return ucd.category(chr(c)) != "Cn" and unicode_age.version(c) <= version


def late(c):
    """Has the older of the two normalizations no such character?"""
    return not known(c, FORMS[0])


def mapping(c):
    """The canonical decomposition, one step."""
    text = ucd.decomposition(chr(c))
    return [int(x, 16) for x in text.split()] if text and text[0] != "<" else []


def full(c):
    return [x for part in mapping(c) for x in full(part)] if mapping(c) else [c]


def answers(version, pairs):
    """Of each code point whether the quick check fails, and its combining class."""
    has = [known(c, version) for c in range(CODES)]
    pairs = {pair: c for pair, c in pairs.items() if has[c]}
    second = {b for _, b in pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    # No for what form C replaces, Maybe for what may combine, itself or its decomposition, with what is before it.
    changed = {c for c in range(CODES) if has[c] and mapping(c)} - set(pairs.values())
    fails = changed | {c for c in range(CODES) if has[c] and full(c)[0] in second}
    return [(c in fails, ucd.combining(chr(c)) if has[c] else 0) for c in range(CODES)]


def two_stages(name, size, values):
    """Print a table of bytes as an index of blocks, equal ones once."""
    blocks, index = {}, []
    for i in range(0, CODES, size):
        index.append(blocks.setdefault(bytes(values[i:i + size]), len(blocks)))
    assert len(blocks) <= 256
    numbers(f"const uint8_t lm_{name}_blocks[{CODES // size}]", index)
    numbers(f"const uint8_t lm_{name}_values[{len(blocks) * size}]", [v for b in blocks for v in b])


def numbers(head, values, form=str):
    print(f"{head} = {{")
    line = "   "
    for v in values:
        text = f" {form(v)},"
        if len(line + text) > 100:
            print(line)
            line = "   "
        line += text
    print(f"{line}\n}};\n")


def main():
    assert ucd.unidata_version == PROPERTIES
    print("/* tables.c -- written by scripts/unicode.py: properties of Unicode "
          f"{PROPERTIES}, normalization of 9.0 and 16.0. */\n"
          '#include "lib/tokenizer/unicode/internal.h"\n\n/* clang-format off */')
    two_stages("unicode", 128, [sets(c) for c in range(CODES)])
    categories = [CATEGORIES.index(ucd.category(chr(c))) for c in range(CODES)]
    begins = [c for c in range(CODES) if not c or categories[c] != categories[c - 1]]
    print(f"const size_t lm_category_runs = {len(begins)};")
    numbers("const uint32_t lm_category_run[]", [c << 8 | categories[c] for c in begins])
    names = ", ".join(f'"{c}"' for c in CATEGORIES)
    print(f"const char lm_category_names[{len(CATEGORIES)}][3] = {{\n    {names},\n}};\n")

    # Pairs that compose: canonical decompositions into two that form C does not exclude.
    pairs = {}
    for c in range(CODES):
        m = mapping(c)
        if len(m) == 2 and ucd.normalize("NFC", chr(c)) == chr(c): pairs[m[0], m[1]] = c
    both = list(zip(*(answers(version, pairs) for version in FORMS)))
    classes = sorted(set(both))
    assert classes[0] == ((False, 0), (False, 0))
    index = {k: i for i, k in enumerate(classes)}
    two_stages("nfc", 256, [index[k] for k in both])
    for i, version in enumerate(FORMS):
        name = f"static const lm_nfc_class in_{version[0]}[{len(classes)}]"
        numbers(name, [k[i] for k in classes], lambda k: f"{{ {k[1]}, {int(k[0])} }}")
    print(f"const lm_nfc_class *const lm_nfc_classes[{len(FORMS)}] = {{ "
          f"{', '.join(f'in_{version[0]}' for version in FORMS)} }};\n")

    whole = [(c, full(c)) for c in range(CODES) if mapping(c)]
    at, flat, rows = 0, [], []
    for c, d in whole:
        rows.append((c, at, len(d), int(late(c))))
        flat += d
        at += len(d)
    print(f"const size_t lm_nfc_decompositions = {len(rows)};")
    numbers("const lm_decomposition lm_nfc_decomposition[]", rows, lambda r: f"{{ {r[0]:#x}, {r[1]}, {r[2]}, {r[3]} }}")
    numbers(f"const uint32_t lm_nfc_decomposed[{len(flat)}]", flat, hex)
    print(f"const size_t lm_nfc_compositions = {len(pairs)};")
    numbers("const lm_composition lm_nfc_composition[]", sorted((a, b, c) for (a, b), c in pairs.items()),
            lambda p: f"{{ {p[0]:#x}, {p[1]:#x}, {p[2]:#x}, {int(late(p[2]))} }}")


if __name__ == "__main__":
    main()
