"""Read packed shards (.lms) with numpy, without the library: docs/format-shard.md.

    shards = Shards("shards/")
    shards[0]            # the first row's ids, a view of the mapped file
    shards.spans(0)      # where they came from: a structured array
    shards.domains       # names for spans["domain"]
    shards.files         # names for spans["file"]

Checksums are not verified here; `lmcheck DIR` does that once.
"""
import bisect
import json
import os
import struct

import numpy as np

SPAN = np.dtype([("key", "<u8"), ("doc_start", "<u8"), ("doc_tokens", "<u8"), ("unit_tokens", "<u8"),
                 ("line", "<u8"), ("file", "<u4"), ("row_start", "<u4"), ("tokens", "<u4"),
                 ("domain", "<u2"), ("copy", "u1"), ("flags", "u1")])
BEGINS, ENDS, TRIMMED = 1, 2, 4


def pad8(n):
    return (n + 7) // 8 * 8


class Shard:
    """One file."""

    def __init__(self, path):
        size = os.path.getsize(path)
        with open(path, "rb") as f:
            head = f.read(40)
            f.seek(max(size - 104, 0))
            tail = f.read(104)
        magic, self.version, width, self.row_tokens, labels, self.vocab, self.number = struct.unpack("<8sIIQIIQ", head)
        if magic != b"LMSHARD\n" or self.version not in (1, 2):
            raise ValueError(f"{path}: not a shard of format version 1 or 2")
        if tail[96:] != b"LMSHEND\n":
            raise ValueError(f"{path}: incomplete: no end marker")
        rows, spans, identity, receipt = struct.unpack("<4Q", tail[:32])
        self.labels = bool(labels)
        data = np.memmap(path, mode="r")
        end = 4096 + rows * self.row_tokens * width
        self.rows = data[4096:end].view(f"<u{width}").reshape(rows, self.row_tokens)
        at = pad8(end) + 8 * rows  # past the checksums
        self.index = data[at:at + 8 * (rows + 1)].view("<u8")
        at += 8 * (rows + 1)
        self.all_spans = data[at:at + 56 * spans].view(SPAN)
        at += 56 * spans
        self.identity = json.loads(bytes(data[at:at + identity]))
        at += pad8(identity)
        self.receipt = json.loads(bytes(data[at:at + receipt]))

    def spans(self, row):
        return self.all_spans[self.index[row]:self.index[row + 1]]


class Shards:
    """All shards of a directory as one sequence of rows."""

    def __init__(self, directory):
        names = sorted((n for n in os.listdir(directory) if n.startswith("shard-") and n.endswith(".lms")),
                       key=lambda n: int(n[6:-4]))
        self.shards = [Shard(os.path.join(directory, n)) for n in names]
        if not self.shards or not self.shards[-1].receipt["last"] or \
                any(s.number != i for i, s in enumerate(self.shards)):
            raise ValueError(f"{directory}: shards are missing")
        self.start = [0]
        for s in self.shards:
            self.start.append(self.start[-1] + len(s.rows))
        self.domains = self.shards[0].identity["domains"]
        if self.shards[0].version == 1:
            self.files = self.shards[0].identity["files"]
        else:  # the identity has their number and hash
            self.files = [f["file"] for s in self.shards for f in s.receipt["inputs"]]

    def __len__(self):
        return self.start[-1]

    def _find(self, row):
        if not 0 <= row < len(self):
            raise IndexError(row)
        i = bisect.bisect_right(self.start, row) - 1
        return self.shards[i], row - self.start[i]

    def __getitem__(self, row):
        shard, at = self._find(row)
        return shard.rows[at]

    def spans(self, row):
        shard, at = self._find(row)
        return shard.spans(at)
