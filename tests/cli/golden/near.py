"""near.py WANT GOT -- compare two files: text and whole numbers must be equal, other numbers close.

A number with a point may differ by one part in 500, or by 0.000005: what another BLAS or processor changes.
With LM_TEST_UPDATE=1 in the environment, WANT is written.
"""
import os
import re
import shutil
import sys

FLOAT = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?")
want, got = sys.argv[1:]
if os.environ.get("LM_TEST_UPDATE"):
    shutil.copyfile(got, want)
a, b = (open(f, encoding="utf-8").read().split("\n") for f in (want, got))


def near(x, y):
    return abs(x - y) <= max(5e-6, abs(x) / 500)


def same(x, y):
    if FLOAT.sub("N", x) != FLOAT.sub("N", y):
        return False
    return all(near(float(p), float(q)) for p, q in zip(FLOAT.findall(x), FLOAT.findall(y)))


bad = [(i, x, y) for i, (x, y) in enumerate(zip(a, b), 1) if not same(x, y)]
for i, x, y in bad[:8]:
    print(f"line {i}:\n- {x}\n+ {y}")
if len(a) != len(b):
    print(f"{len(a)} lines are wanted, {len(b)} are there")
sys.exit(bool(bad) or len(a) != len(b))
