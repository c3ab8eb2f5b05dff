# What was not used of the inputs is in the receipt: a file that was quarantined, and the names that
# the store has of other files in the folder. Once, not in every shard, and the same from parts.
lmtok --help | grep -q -e '--bad-files' || { echo "lmtok has no --bad-files" >&2; exit 77; }
command -v python3 > /dev/null || { echo "python3 is absent" >&2; exit 77; }
stories() { awk -f "$LM_SRC/tests/data/stories.awk" -v json=1 -v seed=$1 -v stories=60; }
mkdir c
stories 1 > c/a.jsonl
stories 2 | gzip | head -c 2500 > c/b.jsonl.gz
stories 3 > c/d.jsonl
echo "about this corpus" > c/README.md
lmtok -q -m "$LM_SRC/tests/data/tokenizer.model" --bad-files quarantine:list -o st.lmt c
lmplan -q -r cut-4k --tokens 4K --when-short shrink -L 64 --shards 3 -o plan.json st.lmt
lmpack -q -L 64 --shard-bytes 10K -o plain st.lmt
lmmix -q plan.json st.lmt | lmpack -q -L 64 -o mixed
for k in 3 1 2; do lmmix -q --part $k/3 plan.json st.lmt | lmpack -q -L 64 --part $k/3 -o parts; done
diff -r mixed parts
python3 - <<'PY'
import glob, json, struct
with open("st.lmt", "rb") as f:
    size, = struct.unpack("<Q", f.read(24)[16:])
    f.seek(32)
    header = json.loads(f.read(size))
for d in "plain", "mixed":
    m = json.load(open(d + "/manifest.json"))
    assert [i["file"] for i in m["inputs"]] == header["files"], m["inputs"]
    aside = m["inputs"][1]["set_aside"]
    assert aside["byte"] == 2500 and "truncated" in aside["reason"], aside
    assert m["inputs"][1]["documents"] == 0
    assert not any("set_aside" in m["inputs"][i] for i in (0, 2))
    assert m["totals"]["set_aside_files"] == 1
    assert m.get("not_read") == header.get("not_read"), m.get("not_read")
    for word in [b"truncated"] + [json.dumps(n).encode() for n in header.get("not_read", [])]:
        assert sum(word in open(s, "rb").read() for s in glob.glob(d + "/*.lms")) == 1, word
PY
lmcheck plain mixed > /dev/null

# A damaged list is found, the manifest can be rebuilt.
cp mixed/manifest.json m.json
sed 's/"reason": "tr/"reason": "TR/' m.json > mixed/manifest.json
! lmcheck mixed > /dev/null 2> err
grep -q "mixed/manifest.json: byte .* differs from the sum" err
lmmix -q --part 2/3 plan.json st.lmt | lmpack -q -L 64 --part 2/3 -o mixed
cmp m.json mixed/manifest.json
