# Plans of format version 1 are byte-identical to the golden files, from a store and from a
# histogram, except for the version of the program.
g=$LM_SRC/tests/golden/plan-v1
strip() { sed '/^  "longmix": /d' "$1"; }
lmplan -r "$g/recipe.json" --shards 4 -L 512 "$g/store.lmt" > plan.json
diff <(strip "$g/plan.json") <(strip plan.json)
lmplan -r "$g/recipe.json" --shards 4 -L 512 - < "$g/hist.json" > hist-plan.json
diff <(strip "$g/hist-plan.json") <(strip hist-plan.json)
lmplan -r "$g/recipe.json" --shards 4 -L 512 "$g/store.lmt" -o again.json
cmp plan.json again.json
