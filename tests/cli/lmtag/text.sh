# Text of all seven sources: counts by domain; the same bytes at any number of threads; tagging
# twice changes nothing; removing the names gives the input.
if [ -n "${real:-}" ]; then
    [ -n "$LM_DATA" ] || { echo "no real data (LM_DATA)" >&2; exit 77; }
    files=("$LM_DATA"/slimpajama-sample/train-*)
else
    for i in 1 2 3; do
        awk -f "$LM_SRC/tests/data/stories.awk" -v json=1 -v seed=$i -v stories=700 | zstd -q > c$i.jsonl.zst
    done
    files=(c?.jsonl.zst)
fi
lmtag -v -j 1 "${files[@]}" > one 2> err
grep -o ': [A-Z][A-Za-z0-9]*  *[0-9,]*$' err
for j in 2 4; do lmtag -j $j "${files[@]}" | cmp - one; done
lmtag one | cmp - one
zstd -qdc "${files[@]}" > plain
sed 's/^{"domain":"[A-Za-z0-9]*",/{/' one | cmp - plain
lmtag --only ArXiv "${files[@]}" | grep -c '"RedPajamaArXiv"'
