"""What ranks.py and huggingface.py share: the texts, our ids (from ids.c), and the comparison with a library."""
import io
import json
import struct
import subprocess
import time

import adversarial

# A batch ends with whichever comes first.
TEXTS, CHARACTERS = 20000, 8 << 20


def arguments(p):
    p.add_argument("-n", type=int, default=200000, metavar="COUNT", help="generated texts (adversarial.py)")
    p.add_argument("ids", help="the program: make build/parity/ids")


def texts(names, count):
    """Those of JSONL files (FILE:n is every n-th; FILE may be compressed by zstd), and `count` generated ones."""
    for name in names:
        path, _, step = name.partition(":")
        step, packed = int(step or 1), None
        if path.endswith(".zst"):
            packed = subprocess.Popen(["zstd", "-dc", path], stdout=subprocess.PIPE)
            f = io.TextIOWrapper(packed.stdout, encoding="utf-8")
        else:
            f = open(path, encoding="utf-8")
        with f:
            yield from (json.loads(line)["text"] for i, line in enumerate(f) if i % step == 0)
        if packed:
            assert packed.wait() == 0, path
    yield from adversarial.documents(count)


def batches(all_texts):
    batch, size = [], 0
    for text in all_texts:
        batch.append(text)
        size += len(text)
        if len(batch) == TEXTS or size >= CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def ours(command, batch):
    """What ids.c says of the tokenizer, and a list of ids for each text; None where it is refused."""
    data = b"".join(struct.pack("<I", len(t)) + t for t in (text.encode() for text in batch))
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()
    numbers, at, lists = struct.unpack(f"<{len(done.stdout) // 4}I", done.stdout), 0, []
    for _ in batch:
        n = numbers[at]
        refused = n == 0xFFFFFFFF
        lists.append(None if refused else list(numbers[at + 1:at + 1 + n]))
        at += 1 if refused else 1 + n
    return done.stderr.decode().strip(), lists


def compare(name, command, theirs, all_texts):
    """`theirs` makes lists of ids of a batch, given whether special tokens are parsed. Prints a line; returns how many
    encodings differ."""
    count = tokens = different = 0
    found, start = "", time.time()
    for batch in batches(all_texts):
        for mode in ("keep", "parse"):
            found, lists = ours([*command[:2], mode, *command[2:]], batch)
            for text, a, b in zip(batch, theirs(batch, mode == "parse"), lists):
                count += 1
                tokens += len(a)
                different += a != b
                if a != b and different < 5:
                    b = b or []
                    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                    print(mode, ascii(text[:300]), "at", at, a[at:at + 10], b[at:at + 10])
    print(f"{name}: {found}: {different} of {count} encodings differ, {tokens} ids, {time.time() - start:.0f} s",
          flush=True)
    return different
