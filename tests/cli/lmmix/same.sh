# The same bytes from any number of threads, to a file and to a pipe; documents from a
# pipe, and a plan from a histogram (test_mix tests the details).
g=$LM_SRC/tests/golden/plan-v1
for j in 1 2 4 7; do
    lmmix "$g/plan.json" "$g/store.lmt" -j $j > $j.lmt
    cmp 1.lmt $j.lmt
done
lmmix "$g/plan.json" "$g/store.lmt" -o file.lmt
cmp 1.lmt file.lmt
lmmix "$g/plan.json" "$g/store.lmt" --part 2/3 -j 1 > part1.lmt
lmmix "$g/plan.json" "$g/store.lmt" --part 2/3 -j 4 > part4.lmt
cmp part1.lmt part4.lmt
if cmp -s 1.lmt part1.lmt; then exit 1; fi

# From a pipe: by name, by default, and from a file.
lmmix "$g/plan.json" - < "$g/store.lmt" > pipe.lmt
cat "$g/store.lmt" | lmmix "$g/plan.json" > default.lmt
cmp pipe.lmt default.lmt
[ -s pipe.lmt ]

# A plan from a histogram is not bound to a store.
lmmix "$g/hist-plan.json" "$g/store.lmt" > hist.lmt
lmmix "$g/hist-plan.json" - < "$g/store.lmt" > hist-pipe.lmt
