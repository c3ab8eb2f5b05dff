#!/usr/bin/env python3
"""wide_model.py MODEL OUT: a SentencePiece model with so many unused pieces added that ids take 4 bytes.

They are control pieces, which no text gives, so every text keeps its ids.
"""
import struct
import sys


def field(number, payload):
    size, length = len(payload), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + payload


CONTROL = 3
with open(sys.argv[1], "rb") as f:
    model = [f.read()]
for i in range(65536):
    piece = field(1, f"<unused_{i}>".encode()) + struct.pack("<Bf", 2 << 3 | 5, 0.0) + bytes([3 << 3, CONTROL])
    model.append(field(1, piece))
with open(sys.argv[2], "wb") as f:
    f.write(b"".join(model))
