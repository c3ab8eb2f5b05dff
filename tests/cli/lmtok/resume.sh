# An existing output is resumed, kept, refused, or restarted, depending on its header.
. "$LM_SRC/tests/cli/lmtok/model.bash"
lmsynth -q --bytes 2M --file-bytes 500K --seed 8 -o c
lmtok -m m.model -o s.lmt c
cp s.lmt want
lmtok -m m.model -o s.lmt c 2>&1
for options in --eos --no-bos '--part 1/1 c/train-00000.jsonl.zst'; do
    # shellcheck disable=SC2086
    lmtok -m m.model -o s.lmt c $options 2>&1 && exit 1 || [ $? = 2 ]
done
cmp s.lmt want
lmtok -m m.model -o s.lmt c --eos --force
cmp -s s.lmt want && exit 1
lmcat --ids --head 1 s.lmt | tr ' ' '\n' | sed -n '1p;$p' # BOS and EOS
lmtok -m m.model -o s.lmt c --no-bos --force
lmcat --ids --head 1 s.lmt | tr ' ' '\n' | grep -c '^1$' || true

# A store that is damaged is not complete.
head -c 100000 want > s.lmt
lmtok -m m.model -o s.lmt c 2>&1 && exit 1 || [ $? = 1 ]
rm s.lmt
# Truncated anywhere, in records or in the index: the same bytes.
for n in 0 10 100 100000 $(($(stat -c %s want) - 10)); do
    head -c "$n" want > s.lmt.partial
    lmtok -m m.model -o s.lmt c
    cmp s.lmt want
    rm s.lmt
done
{ head -c 50000 want; head -c 3000 /dev/urandom; } > s.lmt.partial
lmtok -m m.model -o s.lmt c
cmp s.lmt want
