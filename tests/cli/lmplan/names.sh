# Recipes by name and by path; a name is not mistaken for a path.
g=$LM_SRC/tests/golden/plan-v1
for r in cut-4k cut-128k per-source global up-arxiv-book-github up-book up-code up-arxiv; do
    lmplan -r $r --tokens 1000 "$g/store.lmt" --when-short shrink > name.json
    lmplan -r "$LM_SRC/recipes/$r.json" --tokens 1000 "$g/store.lmt" --when-short shrink > path.json
    cmp name.json path.json
    grep -q "\"name\": \"$r\"" name.json
done
cp "$LM_SRC/recipes/up-book.json" mine
lmplan -r mine --tokens 1000 "$g/store.lmt" | grep -c '"name": "up-book"'
