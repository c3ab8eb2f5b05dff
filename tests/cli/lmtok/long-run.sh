# A document that is one run of spaces costs the time of any other, with pieces of spaces of every length up to 128.
python3 - <<'PY'
import base64, json
pieces = [bytes([b]) for b in range(256)] + [b" " * n for n in range(2, 129)]
with open("spaces.tiktoken", "w") as f:
    for i, piece in enumerate(pieces): f.write(f"{base64.b64encode(piece).decode()} {i}\n")
with open("run.jsonl", "w") as f: f.write(json.dumps({"text": " " * 1000000}) + "\n")
PY
ulimit -t 8 # seconds; a tenth of one is enough
lmtok -q -m spaces.tiktoken --pattern gpt2 --no-bos --no-eos -o run.lmt run.jsonl 2>/dev/null
lmcat --text -m spaces.tiktoken --pattern gpt2 run.lmt | tr -d '\n' | wc -c
lmcat --ids run.lmt | tr ' ' '\n' | sort -n | uniq -c | awk '{ print $1, $2 }'
