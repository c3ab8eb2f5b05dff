# Sampled text is a function of the seed; characters are printed whole; --logprobs lists the tokens.
. "$LM_SRC/tests/cli/model.bash"
gen() { lmgen -q --model stories -n 120 "$@" 'Once upon a time'; }
gen -t 1 --top-p 0.9 --seed 1 >one
gen -t 1 --top-p 0.9 --seed 1 -j 1 | cmp - one
gen -t 1 --top-p 0.9 --seed 2 | cmp -s - one && echo "another seed, the same text"
# At a high temperature bytes have any order: the text is still UTF-8.
for seed in 1 2 3 4 5; do
    gen -t 20 --seed $seed >hot$seed
    iconv -f UTF-8 -t UTF-8 hot$seed >/dev/null
    gen -t 20 --seed $seed --logprobs >hot$seed.jsonl
done
python3 - <<'PY'
import json, math
from collections import Counter
odd = 0
for seed in range(1, 6):
    made = [json.loads(line) for line in open(f"hot{seed}.jsonl", encoding="utf-8")]
    raw = b""
    for token in made:
        assert token["logprob"] < 0 and isinstance(token["id"], int)
        piece = token["piece"]
        if token["id"] == 0:
            raw += " \u2047 ".encode()
        elif len(piece) == 6 and piece.startswith("<0x"):
            raw += bytes([int(piece[3:5], 16)])
        else:
            raw += piece.replace("\u2581", " ").encode()
    text = open(f"hot{seed}", "rb").read().decode()
    odd += text.count("\ufffd")
    # Invalid bytes are U+FFFD in the text, and omitted in the other output.
    assert text.replace("\ufffd", "") == raw.decode(errors="ignore").replace("\ufffd", ""), (seed, text, raw)
print("text and pieces agree;", "bytes that are no characters:", "some" if odd else "none")
PY
