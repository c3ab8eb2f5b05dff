"""sum.py FILE... -- a line "hash  FILE" for each output, without what names the program's version.

Text and JSON lose their members "longmix", "commit" and "seconds". Of stores (.lmt) and shards (.lms)
everything is hashed but those members and what follows from their length: offsets count from the end of
the header, and checksums that cover the version are left out (lmcheck verifies them). The layouts are
those of docs/format-store.md and docs/format-shard.md.
"""
import hashlib
import re
import struct
import sys

VERSION = re.compile(rb'"(?:longmix|commit)": ?"[^"]*",?\s*|,? ?"seconds": ?[0-9.e+-]+')


def text(data):
    return VERSION.sub(b"", data)


def store(data):
    magic, version, width, size, _ = struct.unpack_from("<8sIIQQ", data)
    head = 32 + (size + 7) // 8 * 8
    index, = struct.unpack_from("<Q", data, len(data) - 32)
    out = [magic, struct.pack("<II", version, width), text(data[32:32 + size]), data[head:index]]
    count, = struct.unpack_from("<Q", data, index + 16)
    out.append(data[index:index + 24])
    for i in range(count):
        key, offset, rest = struct.unpack_from("<QQ8s", data, index + 24 + 24 * i + 8 * (i // 1024))
        out.append(struct.pack("<QQ8s", key, offset - head, rest))
    end = data[-64:]
    out += [end[8:32], struct.pack("<Q", index - head), end[40:48], struct.pack("<Q", len(data) - head), end[56:]]
    assert index + 24 + 24 * count + 8 * ((count + 1023) // 1024) + 64 == len(data)
    return b"".join(out)


def shard(data):
    rows, spans, identity, receipt = struct.unpack_from("<QQQQ", data, len(data) - 104)
    width, row_tokens = struct.unpack_from("<IQ", data, 12)
    tables = 4096 + (rows * row_tokens * width + 7) // 8 * 8 + 8 * rows + 8 * (rows + 1) + 56 * spans
    second = tables + (identity + 7) // 8 * 8
    assert second + (receipt + 7) // 8 * 8 + 104 == len(data)
    end = data[-104:]
    return b"".join([data[:tables], text(data[tables:tables + identity]), data[second:second + receipt],
                     end[:16], end[24:56], end[64:80], end[96:]])


def manifest(data):
    """Sizes and seals of shards depend on the length of the version."""
    return re.sub(rb'(\n  "totals": \{[^}]*?"bytes": )\d+', rb"\1", re.sub(
        rb'(\n      "file": "shard-[^}]*?"bytes": )\d+(,\s*"xxh3": )"[0-9a-f]*"', rb"\1\2", text(data)))


for name in sys.argv[1:]:
    with open(name, "rb") as f:
        content = f.read()
    if content[:8] == b"LMTOKENS":
        content = store(content)
    elif content[:8] == b"LMSHARD\n":
        content = shard(content)
    elif b'"longmix manifest ' in content[:60]:
        content = manifest(content)
    else:
        content = text(content)
    print(hashlib.sha256(content).hexdigest()[:16], len(content), name)
