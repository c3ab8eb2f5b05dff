# Every figure as a table, from hand-made result lines.
. "$LM_SRC/tests/cli/lmplot/lines.bash"
ppl_lines > ppl.jsonl
lmplot ppl ppl.jsonl -o -
lmplot ppl ppl.jsonl --where seed=1 --where mode=tail -o ppl.tsv && cat ppl.tsv
lmplot ppl ppl.jsonl --where attention=dca --by mode -o -
position_lines | lmplot position - -o -
needle_lines > needle.jsonl
lmplot needle needle.jsonl -o -
lmplot needle needle.jsonl --score exact -o needle.tsv && cat needle.tsv
# two needles in one grid: every cell is their mean
{ more='"needle":"a"' needle_lines; needle_lines | sed 's/"seed"/"needle":"b","seed"/; s/"value":1/"value":0.5/'; } > two.jsonl
lmplot needle two.jsonl --score exact --over needle -o -
passkey_lines '0 100' | zstd | lmplot passkey - -o -
passkey_lines random | lmplot passkey - -o -
speed_lines | lmplot speed - -o -
domain_lines > domains.jsonl
lmplot domains domains.jsonl $(domain_names) -o -
lmplot domains domains.jsonl $(domain_names) --baseline per-source -o domains.tsv && cat domains.tsv
compare_lines > compare.jsonl
lmplot domains compare.jsonl $(compare_names) -o -
lmplot domains --at compare.jsonl $(compare_names) -o -
lmplot domains <(grep original-0 compare.jsonl) --where domain=C4 -o -
curve_lines > curve.jsonl
lmplot -q curve curve.jsonl $(curve_names) -o -
lmplot -q curve curve.jsonl -o -
mkdir run && log_lines > run/log.jsonl
lmplot loss run/log.jsonl --smooth 1 -o -
echo '{"text": "a short document", "meta": {"redpajama_set_name": "RedPajamaC4"}}' | lmhist --json - > short.json
lmplot histogram short.json --name short.json=short -o -
# the order of files is the order of series, and the order of lines in them does not matter
grep dca ppl.jsonl > dca.jsonl && grep -v dca ppl.jsonl | sort > rope.jsonl
lmplot ppl dca.jsonl rope.jsonl -o - | sort > one && lmplot ppl ppl.jsonl -o - | sort > two && cmp one two
