# A store has the names of its inputs relative to the operands: the same corpus gives the same bytes
# wherever it is.
. "$LM_SRC/tests/cli/lmtok/model.bash"
lmsynth -q --bytes 1M --file-bytes 300K --seed 3 -o corpus
mkdir -p corpus/sub && mv corpus/train-00001.jsonl.zst corpus/sub
rm corpus/synth.json
lmtok -m m.model -o want.lmt corpus
for at in ./corpus corpus/ "$PWD/corpus" ../"${PWD##*/}"/corpus; do
    rm -f s.lmt
    lmtok -m m.model -o s.lmt "$at"
    cmp s.lmt want.lmt
done
(cd corpus && lmtok -m ../m.model -o ../s2.lmt .)
cmp s2.lmt want.lmt
mkdir -p far/away && cp -r corpus far/away
lmtok -m m.model -o s3.lmt far/away/corpus
cmp s3.lmt want.lmt
(cd far && lmtok -m ../m.model ./away/corpus) | cmp - want.lmt
# An unfinished store is continued from another place, too.
head -c $(($(stat -c %s want.lmt) * 8 / 10)) want.lmt > far/s4.lmt.partial
(cd far && lmtok -m ../m.model -o s4.lmt away/corpus && cmp s4.lmt ../want.lmt)
! grep -a -q "$PWD" want.lmt
lmcat --json want.lmt | grep -o '"file":"[^"]*"' | uniq
# Parts.
for k in 1 2; do lmtok -m m.model --part $k/2 -o parts corpus; lmtok -m m.model --part $k/2 -o parts2 far/away/corpus; done
diff -r parts parts2
# A part that was made when another part's file had another size, or with another list, is refused.
cp -r parts parts3
mv parts3/part-00002-of-00002.lmt kept.lmt
zstd -dqc corpus/sub/train-00001.jsonl.zst | zstd -q -9 -c > x && mv x far/away/corpus/sub/train-00001.jsonl.zst
lmtok -m m.model --part 2/2 -o parts3 far/away/corpus
lmcheck -q parts3/*.lmt
lmcheck -q parts3 2> err && exit 1
grep -q 'part-00002-of-00002.lmt: was made when the inputs had other names or sizes than for' err
lmhist parts3 2> err > out && exit 1 || [ $? = 1 ]
grep -q 'other names or sizes' err
rm parts3/part-00002-of-00002.lmt
lmtok -m m.model --part 2/2 -o parts3 corpus/train-0000[02]* corpus/sub
lmcheck -q parts3 2> err && exit 1
# But a part that was begun before is finished as it was begun.
head -c $(($(stat -c %s kept.lmt) * 8 / 10)) kept.lmt > parts3/part-00002-of-00002.lmt.partial
rm parts3/part-00002-of-00002.lmt
lmtok -m m.model --part 2/2 -o parts3 far/away/corpus
diff -r parts parts3

# Folders whose files have the same names: each part is found in the list by its place.
mkdir one two
for f in one two; do
    for i in 1 2 3; do for k in 1 2 3; do echo "{\"text\": \"$f $i $k\"}"; done > $f/$i.jsonl; done
done
for k in 1 2; do lmtok -m m.model --part $k/2 -o twice one two 2> err; done
lmtok -m m.model -o once.lmt one two 2> err
cmp <(lmcat --json --ids twice) <(lmcat --json --ids once.lmt)
p=twice/part-00002-of-00002.lmt
cp $p want.lmt
for at in 60 70 80 90; do
    head -c $(($(stat -c %s want.lmt) * at / 100)) want.lmt > $p.partial
    rm $p
    lmtok -m m.model --part 2/2 -o twice one two 2> err
    cmp $p want.lmt
done
