# Three parts, packed in any order from part streams or from the whole, equal a single run.
g=$LM_SRC/tests/golden/plan-v1
mix() { lmmix "$g/plan.json" "$g/store.lmt" "$@"; }
for how in "-L 500" "-L 300 --labels" "-L 700 --pack best-fit" "-L 64 --pack best-fit --labels --pad-id 7"; do
    rm -rf whole parts slices
    mix | lmpack -q $how -o whole -j 1
    for k in 2 3 1; do
        mix --part $k/3 | lmpack -q $how --part $k/3 -o parts -j 2
        mix | lmpack -q $how --part $k/3 -o slices
    done
    diff -r whole parts
    diff -r whole slices
    lmcheck whole > /dev/null
    mix | lmpack -q $how -o whole # again: the same bytes
    diff -r whole parts
done

# The manifest is written with the last part.
rm -rf parts
mix --part 1/2 | lmpack -L 500 --part 1/2 -o parts 2> err
grep -q "is incomplete: the part that finishes last" err
[ ! -e parts/manifest.json ]
! lmcheck parts > /dev/null 2> err
grep -q "incomplete" err
mix --part 2/2 | lmpack -L 500 --part 2/2 -o parts 2> err
grep -q "the receipt is parts/manifest.json" err
lmcheck parts > /dev/null
