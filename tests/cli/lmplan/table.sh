# The plan as a readable table.
g=$LM_SRC/tests/golden/plan-v1
lmplan -r per-source --tokens 1K --when-short shrink -L 64 --seed 7 --table "$g/store.lmt"
echo
lmplan -r up-book --tokens 2000 -L 64 --table "$g/hist.json" > table; head -n 10 table
