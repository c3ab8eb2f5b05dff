# The likeliest text of stories260K from nothing: what llama2.c prints (its test runs the same 200
# steps) and what transformers' greedy search gives; from any kind of prompt, threads and attention.
[ -n "$LM_DATA" ] || { echo "no test data (LM_DATA)" >&2; exit 77; }
lmimport -q llama2c "$LM_DATA/stories260K/stories260K.bin" "$LM_DATA/stories260K/tok512.bin" -o stories
gen() { lmgen -q --model stories "$@"; }
gen -n 200 '' >text
cat text; echo "|"
gen -n 200 -j 1 </dev/null | cmp - text
gen -n 200 --attention dca --length 512 '' | cmp - text
gen -n 200 --attention dca:400,100 '' | cmp - text
gen -n 200 -t 0.7 --top-k 1 '' | cmp - text

# Going on with its first two sentences gives the rest, through each door.
grep -o '^Once.*in the park\.' text | tr -d '\n' >part
tail -c +$(($(wc -c <part) + 1)) text | head -c 300 >rest
same() { gen -n 150 "$@" >more; head -c 300 more | cmp - rest; }
same "$(cat part)"
same -f part
same <part

# The model ends its story (with BOS), long before so many tokens.
gen -n 400 '' | tail -c 60; echo "|"
gen -n 0 'no more' | wc -c
