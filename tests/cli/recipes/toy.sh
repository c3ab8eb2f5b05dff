# The toy reproduction of the papers at its smallest size: every step from the language to the
# verdicts works, and a second run measures nothing again. The numbers are not meaningful.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
awk -f "$LM_SRC/recipes/toy-corpus.awk" -v what=words | sort | uniq | wc -l
awk -f "$LM_SRC/recipes/toy-corpus.awk" -v c=64 -v only=C4 -v seed=7 -v tokens=60
TOY=smoke "$LM_SRC/recipes/toy-papers.sh" out > verdicts 2> err || { cat err; exit 1; }
cut -d '|' -f 2,3 verdicts | sed -n 3,8p
grep -c '^| ' verdicts
ls out/figures
cat out/results/*.jsonl | cksum > before
rm out/verdicts.md
TOY=smoke "$LM_SRC/recipes/toy-papers.sh" out 2> err | cmp - verdicts
cat out/results/*.jsonl | cksum | cmp - before && echo "nothing measured twice"
# Its vocabulary: each word of the language is one token, BOS precedes each document.
awk -f "$LM_SRC/recipes/toy-corpus.awk" -v c=64 -v only=C4 -v seed=7 -v tokens=60 | lmtok -q -m out/tokenizer.model -o d.lmt -
lmcat --text -m out/tokenizer.model d.lmt > text
lmcat --ids d.lmt | awk '{ n += NF - 1; for (i = 1; i <= NF; i++) unknown += $i == 0 } END { print n " words, " unknown + 0 " unknown" }'
wc -w < text
