# README's loop over parts, as printed but for the length of rows: it writes what a single run writes,
# and fails if any part fails.
g=$LM_SRC/tests/golden/plan-v1
cp "$g/plan.json" "$g/store.lmt" .
sed -n '/^```sh$/,/^```$/p' "$LM_SRC/README.md" | awk '/^```sh$/ { block = ""; next }
    /^```$/ { if (block ~ /--part/) printf "%s", block; next } { block = block $0 "\n" }' |
    sed 's/-L 131072/-q -L 64/' > loop.sh
grep -q 'lmpack --part $k/3' loop.sh
lmmix -q plan.json store.lmt | lmpack -q -L 64 -o whole
for shell in bash sh; do
    rm -rf part-shards
    $shell loop.sh
    diff -r whole part-shards
    for k in 1 2 3; do
        { echo 'lmpack() { case $* in *"--part '$k'/3"*) cat > /dev/null; return 3 ;; esac; command lmpack "$@"; }'
            cat loop.sh; } > failing.sh
        rm -rf part-shards
        ! $shell failing.sh
        [ ! -e part-shards/manifest.json ]
    done
done
