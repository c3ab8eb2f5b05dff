# Many keys in one text: a question for each depth, the text read once; a line for each depth, whose
# settings have all depths. An interrupted run gives the lines of a whole one.
. "$LM_SRC/tests/cli/model.bash"
many() { lmeval passkey -q -m stories --variant many --depths 0,30,60,90 --trials 2 "$@"; }
many -L 700 --print-prompts >prompts
wc -l <prompts
python3 - <<'PY'
import json, re
prompts = [json.loads(line) for line in open("prompts")]
for p in prompts:
    keys = re.findall(r"The pass key of the (\w+ \w+) is (\d{5})\.", p["prompt"])
    name = re.search(r"What is the pass key of the (\w+ \w+)\? The pass key of the \1 is$", p["prompt"])[1]
    assert len({k for k, v in keys}) == len(keys) == 4
    text = p["prompt"]
    at = [100 * m.start() / len(text) for m in re.finditer("Remember it", text)]
    print(p["trial"], p["depth"], "is key", [k for k, v in keys].index(name) + 1, "of 4,", "places rise" if at == sorted(at) else at)
PY
many -L 700,900 -o all.jsonl
grep -o '"length":[0-9]*,"depth":[0-9]*\|"depths":[^]]*]' all.jsonl | paste - - | sort | uniq -c | sed 's/^ *//'
head -n 5 all.jsonl >some.jsonl
many -L 700,900 -o some.jsonl
strip() { sed 's/,"seconds":[^,}]*//' "$1"; }
cmp <(strip all.jsonl) <(strip some.jsonl) && echo "resumed: the same"
lmeval passkey -q -m stories --variant many -L 900 --depths "$(seq -s, 0 64)" || echo "exit $?"
many -L 100 || echo "exit $?"
