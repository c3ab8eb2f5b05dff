# A mixture in order of arrival has no shard marks: shards are cut by size, its inputs are in the
# receipt, and a second run with less data leaves no shard of the first.
g=$LM_SRC/tests/golden/plan-v1
lmmix "$g/hist-plan.json" - < "$g/store.lmt" | lmpack -L 200 --shard-bytes 8000 -o d 2> err
grep -q "20 rows\|rows" err
lmcheck d | tail -n 1
[ "$(ls d/*.lms | wc -l)" -gt 3 ]
grep -q '"inputs": \[' d/manifest.json
grep -q '"file": ' d/manifest.json
grep -q '"target_tokens"' d/manifest.json
