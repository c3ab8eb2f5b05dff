# Documents through all eight recipes to checked shards; three separate parts equal the whole.
. "$LM_SRC/tests/cli/corpus.bash"
lmtok -q -m "$model" -o store.lmt corpus/train-00000.jsonl.zst
for r in cut-4k cut-128k per-source global up-arxiv-book-github up-book up-code up-arxiv; do
    lmplan -r $r --tokens 100K --when-short shrink -L 1024 store.lmt -o plan.json
    lmmix plan.json store.lmt | lmpack -q -L 1024 -o whole
    lmcheck -q whole > checked
    for k in 3 1 2; do
        lmmix plan.json store.lmt --part $k/3 | lmpack -q -L 1024 --part $k/3 -o parts
    done
    diff -r whole parts
    echo "$r: $(ls whole | wc -l) files"
    rm -rf whole parts
done
