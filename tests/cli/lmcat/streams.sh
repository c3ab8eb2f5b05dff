# Stores and mixtures: the readable view, JSON and ids; from a file and a pipe; with --head.
t=$LM_SRC/tests/golden/store-v1/tiny.lmt
g=$LM_SRC/tests/golden/plan-v1
cd "$(dirname "$t")"
lmcat tiny.lmt
lmcat --json tiny.lmt
lmcat --ids --from 2 --head 2 tiny.lmt
lmcat --json --ids --head 1 - < tiny.lmt
lmmix "$g/plan.json" "$g/store.lmt" --part 1/2 | lmcat --head 3 -
lmmix "$g/plan.json" "$g/store.lmt" | lmcat --json - | wc -l
