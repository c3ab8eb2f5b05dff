# Errors name file, line and field, and leave no output.
. "$LM_SRC/tests/cli/lmplot/lines.bash"
try() { local status=0; lmplot -q "$@" -o out.svg >out 2>message || status=$?; sed 's/^lmplot: //' message; echo "  $status: $*"; [ ! -e out.svg ]; }
ppl_lines > ppl.jsonl
needle_lines > needle.jsonl
echo '{"eval":"ppl","length":1}' > bad.jsonl
{ cat needle.jsonl; echo '{"eval":"needle","length":'; } > torn.jsonl
try ppl bad.jsonl
try needle torn.jsonl
sed 's/"depth":50/"depth":"half"/' needle.jsonl > word.jsonl && try needle word.jsonl
sed 's/"depth":50,//' needle.jsonl > less.jsonl && try needle less.jsonl
echo '[1]' > array.jsonl && try needle array.jsonl
try needle ppl.jsonl
try ppl absent.jsonl
: > empty.jsonl && try loss empty.jsonl
try ppl ppl.jsonl --where mode=middle
try ppl ppl.jsonl --where mode
try needle needle.jsonl --score dedup
# other settings, other weights, another value of the same
{ cat ppl.jsonl; more='"stride":512' line ppl '"length":256,"mode":"full"' 2; } > mixed.jsonl && try ppl mixed.jsonl
{ cat needle.jsonl; weights=cc; needle_lines; } > weights.jsonl && try needle weights.jsonl
{ cat needle.jsonl; sed 's/"value":1/"value":0.5/' needle.jsonl; } > twice.jsonl && try needle --score exact twice.jsonl
{ passkey_lines 0; needle_lines; } > both.jsonl && try curve both.jsonl
try curve needle.jsonl --score exact
try curve needle.jsonl --score exact --tokens models/base=many
domain_lines > domains.jsonl && try domains domains.jsonl --baseline nobody
compare_lines > compare.jsonl && try domains compare.jsonl
try domains compare.jsonl $(compare_names) --baseline cut
grep position compare.jsonl > positions.jsonl && try domains positions.jsonl $(compare_names)
grep -v '"length":512' ppl.jsonl > gap.jsonl && try ppl gap.jsonl --red-flag
try loss needle.jsonl
{ log_lines; log_lines; } > two.jsonl && try loss two.jsonl
try histogram needle.jsonl
echo '{"format":"longmix plan 1"}' > plan.json && try histogram plan.json
try nothing ppl.jsonl
for out in figure.gif figure absent/figure.svg absent/figure.md; do
    status=0
    lmplot ppl ppl.jsonl -o $out 2>message || status=$?
    sed 's/^lmplot: //' message
    echo "  $status: $out"
done
lmplot ppl ppl.jsonl 2>&1 || echo "  $?"
ls figure* 2>/dev/null || true
