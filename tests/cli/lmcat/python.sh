# python/longmix_shards.py, written only from docs/format-shard.md, reads the same as lmcat.
python3 -c 'import numpy' 2> /dev/null || { echo "numpy is absent" >&2; exit 77; }
g=$LM_SRC/tests/golden/plan-v1
lmmix "$g/plan.json" "$g/store.lmt" | lmpack -q -L 500 --labels --pack best-fit -o d
lmcat --json --ids d > rows.json
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LM_SRC/python python3 - <<'PY'
import json
from longmix_shards import Shards, BEGINS, ENDS
s = Shards("d")
rows = [json.loads(line) for line in open("rows.json")]
assert len(s) == len(rows) > 10
for i, r in enumerate(rows):
    assert s[i].tolist() == r["ids"]
    spans = s.spans(i)
    assert len(spans) == len(r["spans"])
    for a, b in zip(spans, r["spans"]):
        assert s.domains[a["domain"]] == b["domain"] and s.files[a["file"]] == b["file"]
        assert f"{a['key']:016x}" == b["key"]
        for k in "doc_start", "doc_tokens", "unit_tokens", "line", "row_start", "tokens", "copy":
            assert a[k] == b[k], k
        assert bool(a["flags"] & BEGINS) == b["begins"] and bool(a["flags"] & ENDS) == b["ends"]
PY
