# Parts that are tokenized separately form one store: the same documents in the same order as in a
# single run, and the same mixture.
. "$LM_SRC/tests/cli/lmtok/model.bash"
lmsynth -q --bytes 5M --file-bytes 700K --seed 5 -o c
head -c 100 /dev/zero | tr '\0' '\n' > c/zz-blank.jsonl
lmtok -m m.model -o whole.lmt c
for k in 3 1 2; do lmtok -m m.model --part $k/3 -o parts c; done
ls parts
lmcheck -q whole.lmt parts
lmcat --json --ids whole.lmt > whole.txt
lmcat --json --ids parts > parts.txt
cmp whole.txt parts.txt
lmtok -m m.model --part 2/3 -o parts c 2>&1 | grep -o 'already complete'

lmplan -r "$LM_SRC/recipes/cut-4k.json" --tokens 100K whole.lmt > whole.json
lmplan -r "$LM_SRC/recipes/cut-4k.json" --tokens 100K parts > parts.json
cmp whole.json parts.json
lmmix whole.json whole.lmt > whole.mix
lmmix parts.json parts > parts.mix
cmp whole.mix parts.mix

# More parts than files: an empty part is a valid store.
for k in 1 2 3 4 5; do lmtok -m m.model --part $k/5 -o few c/train-0000[01].jsonl.zst; done
lmtok -m m.model -o two.lmt c/train-0000[01].jsonl.zst
lmcat --json few | cmp - <(lmcat --json two.lmt)

# Each part has its own file of bad lines.
sed -i '1s/.*/bad/; 2s/.*/{"text": "good"}/' c/zz-blank.jsonl
for k in 1 2 3; do lmtok -q -m m.model --part $k/3 --bad-lines quarantine:aside -o q c; done
wc -c aside.* | sed 's/^ *//'

rm parts/part-00002-of-00003.lmt
lmcheck parts 2>&1 && exit 1
lmtok -m m.model --part 1/2 -o p < c/zz-blank.jsonl 2>&1 && exit 1
exit 0
