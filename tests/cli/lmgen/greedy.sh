# Greedy decoding of a trained model, from an empty prompt and from each kind of prompt, with any
# number of threads and any attention that equals plain attention at this length.
. "$LM_SRC/tests/cli/model.bash"
gen() { lmgen -q --model stories "$@"; }
gen -n 200 '' >text
cat text; echo "|"
gen -n 200 -j 1 </dev/null | cmp - text
gen -n 200 --attention dca --length 512 '' | cmp - text
gen -n 200 --attention dca:400,100 '' | cmp - text
gen -n 200 -t 0.7 --top-k 1 '' | cmp - text

# Its first two sentences as the prompt give the rest, with each kind of input.
grep -o '^Once[^.]*\.[^.]*\.' text | head -n 1 | tr -d '\n' >part
tail -c +$(($(wc -c <part) + 1)) text | head -c 300 >rest
same() { gen -n 150 "$@" >more; head -c 300 more | cmp - rest; }
same "$(cat part)"
same -f part
same <part

# The model ends its story (with BOS) long before that many tokens; that of tests/data in one of
# three samples.
if [ -n "${real:-}" ]; then gen -n 400 '' | tail -c 60; echo "|"
else
    for seed in {1..20}; do gen -n 20 -t 1 --seed $seed 'They ran home and had a good sleep. The end.' | wc -c; done >lengths
    ended=$(grep -c '^0$' lengths)
    [ $ended -gt 2 ] && [ $ended -lt 18 ] && echo "some texts end" || echo "$ended of 20 texts end"
fi
gen -n 0 'no more' | wc -c
