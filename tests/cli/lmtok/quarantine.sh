# Bad lines quarantined: as they are, in order, counted; the rest is a store.
. "$LM_SRC/tests/cli/lmtok/model.bash"
good='{"text": "a good line", "domain": "C4"}'
{ echo "$good"; printf 'nul\0 \xff\r\n'; echo; echo "$good"; printf '{"text": 1}\n%s\n{"text' "$good"; } > a.jsonl
{ echo '[1]'; echo "$good"; } | zstd -qc > b.jsonl.zst
printf 'nul\0 \xff\r\n{"text": 1}\n{"text\n[1]\n' > want
for j in 1 2; do
    lmtok -j $j -m m.model --bad-lines quarantine:bad -o s.lmt a.jsonl b.jsonl.zst 2>&1
    cmp bad want
    lmcheck s.lmt
    lmcat --json s.lmt
    rm s.lmt bad
done
# To standard output too.
lmtok -m m.model --bad-lines quarantine:bad < a.jsonl 2>&1 > s.lmt
lmcheck -q s.lmt
cmp bad <(head -n 3 want)
rm bad s.lmt
# A document of a domain that the table refuses.
echo '{"domains": [{"name": "C4"}], "unknown": "stop"}' > d.json
{ echo '{"text": "x", "domain": "Blog"}'; echo "$good"; } > c.jsonl
lmtok -m m.model -d d.json -o c.lmt c.jsonl 2>&1 && exit 1
lmtok -m m.model -d d.json --bad-lines quarantine:bad -o c.lmt c.jsonl 2>&1
cmp bad <(head -n 1 c.jsonl)
rm bad
lmtok -m m.model -o k.lmt c.jsonl 2>&1 # kept by default, and reported
# A long line is quarantined whole.
{ printf '{"domain": "Blog", "text": "'; head -c 9000000 /dev/zero | tr '\0' 'x '; echo '\n"}'; echo "$good"; } > long.jsonl
lmtok -m m.model -d d.json --bad-lines quarantine:bad -o l.lmt long.jsonl 2>&1
cmp bad <(head -n 1 long.jsonl)
rm bad
# Resuming needs the quarantined lines.
lmtok -m m.model --bad-lines quarantine:bad -o s.lmt a.jsonl b.jsonl.zst 2> err
cp s.lmt whole.lmt
mv s.lmt s.lmt.partial
lmtok -m m.model -o s.lmt a.jsonl b.jsonl.zst 2>&1 && exit 1
# Those that are lost are written again, and what was torn off is removed.
for n in 0 1 20 40; do
    head -c $n want > bad.partial
    rm bad
    lmtok -m m.model --bad-lines quarantine:bad -o s.lmt a.jsonl b.jsonl.zst 2>&1
    cmp bad want
    cmp s.lmt whole.lmt
    mv s.lmt s.lmt.partial
done
mv bad bad.partial
echo 'torn off' >> bad.partial
lmtok -m m.model --bad-lines quarantine:bad -o s.lmt a.jsonl b.jsonl.zst 2>&1
cmp bad want
cmp s.lmt whole.lmt
