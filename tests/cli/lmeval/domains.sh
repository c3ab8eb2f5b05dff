# Loss by domain on a trained model, of whole documents and of rows; and the comparison of models.
. "$LM_SRC/tests/cli/model.bash"
for i in $(seq 1 9); do
    if [ $((i % 3)) = 0 ]; then n=12 domain=Book; else n=2 domain=C4; fi
    text=$(for k in $(seq 1 $n); do
        printf 'Once upon a time there was a cat with %s toys and %s friends. ' $((k * i)) $((k + i))
        printf 'The cat liked to play in the big park with a ball. '; done)
    echo "{\"text\": \"$text\", \"meta\": {\"redpajama_set_name\": \"RedPajama$domain\"}}"
done >docs.jsonl
lmtok -q -m stories/tokenizer.model -o docs.lmt docs.jsonl
lmpack -q -L 128 -o rows docs.lmt
domains=(lmeval domains --model stories --ranges 64,512 --at 64,128,1Ki --at-width 16 --bootstrap 200)
counts() { sed -E 's/[0-9]+\.[0-9]+( \+- [0-9.]+)?/N/'; }
lines() { sed 's/"seconds.*//' "$1" | sort; }

"${domains[@]}" --data docs.lmt -o a.jsonl -j 1 2>&1 | counts

# Each token but the first is in exactly one range, for each kind of range.
tokens() { grep '"domain":"all","range"' | grep -o '"tokens":[0-9]*' | cut -d: -f2 | paste -sd+ | bc; }
"${domains[@]}" -q --data docs.lmt --by length | tokens
"${domains[@]}" -q --data docs.lmt --by position | tokens
"${domains[@]}" -q --data rows --by row | tokens
"${domains[@]}" -q --data rows --by position --documents 4 | grep -c '"mode":"row"'
"${domains[@]}" -q --data docs.lmt --documents 2 | grep -o '"document":[0-9]*,' | paste -sd' '

# Stopped and resumed, with other threads: the same lines.
head -n 4 a.jsonl >b.jsonl
"${domains[@]}" -q --data docs.lmt -o b.jsonl -j 2
diff <(lines a.jsonl) <(lines b.jsonl) && echo "resumed"

# Dual chunk attention is plain attention up to its chunk, 384 tokens here: no difference in the
# first range; with chunks of 32 there is one.
"${domains[@]}" -q --data docs.lmt -a dca -o dca.jsonl
"${domains[@]}" -q --data docs.lmt -a dca:48,16 --dca-parts intra -o intra.jsonl
lmeval compare -q a.jsonl dca.jsonl intra.jsonl -o delta.jsonl
grep -o '"results":"dca.jsonl".*"domain":"[a-zA-Z0-9]*","range":"0-64".*"significant":[a-z]*' delta.jsonl |
    sed 's/"of".*"domain/"domain/; s/"value.*"sig/"sig/'
grep -o '"results":"intra.jsonl".*"domain":"all","range":"64-512".*"significant":[a-z]*' delta.jsonl |
    sed 's/"of".*"domain/"domain/; s/"value.*"sig/"sig/'
lmeval compare a.jsonl intra.jsonl 2>&1 >/dev/null | sed -E 's/[0-9.]+ +[+-][0-9.]+( \+- [0-9.]+)?/N/'
lmplot domains a.jsonl intra.jsonl -o - | grep '|' | cut -d '|' -f 2,3
cp delta.jsonl before.jsonl
lmeval compare -q a.jsonl dca.jsonl intra.jsonl -o delta.jsonl && cmp before.jsonl delta.jsonl

fails() { "$@" >/dev/null 2>err && echo "was done: $*"; sed 's/ (lmeval.* --help.*//' err; }
fails "${domains[@]}" --data docs.lmt --by row
fails "${domains[@]}" --data docs.lmt --ranges 64,32
fails "${domains[@]}" --data nowhere
fails "${domains[@]}"
fails "${domains[@]}" --data docs.lmt -s 1 -o a.jsonl
fails lmeval compare a.jsonl
"${domains[@]}" -q --data docs.lmt --documents 1 -o few.jsonl
fails lmeval compare a.jsonl few.jsonl 2>&1
head -n 5 dca.jsonl >part.jsonl
fails lmeval compare a.jsonl part.jsonl
fails lmeval compare --model stories --stride 5 a.jsonl part.jsonl
fails lmeval domains --model stories --data docs.lmt a.jsonl
