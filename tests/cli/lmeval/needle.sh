# Needle and passkey on a trained model that is too small to answer: prompts, reuse of the KV cache,
# refusals. tests/unit/test_eval_score.c tests the scores.
. "$LM_SRC/tests/cli/model.bash"
mkdir book
for i in $(seq 1 40); do echo "Tim saw a big dog on day $i. The dog was happy. They ran to the park"; done >book/a.txt
echo "The end." >book/b.txt
needle=(lmeval needle --model stories --haystack book)
lines() { sed 's/"seconds.*//' "$1" | sort; }

"${needle[@]}" -L 700,1100 --depths 0,50,100 -o all.jsonl -j 1 2>&1 | grep -o 'a perfect.*dedup\|prefix reuse.*'
wc -l <all.jsonl
grep -o '"length":1100,"depth":50,"score":"[a-z0-9]*"' all.jsonl
"${needle[@]}" -q -L 700,1100 --depths 0,50,100 --no-share -o apart.jsonl
diff <(lines all.jsonl) <(lines apart.jsonl) && echo "sharing changes nothing"
"${needle[@]}" -q -L 1100 --depths 50 -o resumed.jsonl -j 1
"${needle[@]}" -q -L 700,1100 --depths 0,50,100 -o resumed.jsonl -j 2
diff <(lines all.jsonl) <(lines resumed.jsonl) && echo "in two runs, too"
for form in dca dca:128,32; do
    "${needle[@]}" -q -L 1100 --depths 0,50,100 -a $form -o $form.jsonl
    "${needle[@]}" -q -L 1100 --depths 0,50,100 -a $form --no-share | sort |
        diff <(lines $form.jsonl) <(lines /dev/stdin) && echo "$form: the same"
done
"${needle[@]}" -q -L 400 --depths 50 --bos-quirk | grep -o '"bos_quirk":true' | uniq
# The model can copy: the answer is in the last words of the prompt.
"${needle[@]}" -q -L 400 --depths 50 --prompt '{context} {question}' --question 'Once upon a time, there was a' \
    --answer little --new-tokens 10 --buffer 100 | grep -o '"score":"exact","value":[0-9.]*'

for v in clean landmark chunkllama chunkllama-needle; do
    case $v in clean | *-needle) depths="--depths 50,100" ;; *) depths= ;; esac
    passkey=(lmeval passkey --model stories -L 512,800 --trials 2 --variant $v $depths)
    "${passkey[@]}" -q -o $v.jsonl
    "${passkey[@]}" -q --no-share -o apart-$v.jsonl
    diff <(lines $v.jsonl) <(lines apart-$v.jsonl) && wc -l <$v.jsonl
done
lmeval passkey --model stories -L 256 --trials 1 --variant chunkllama-needle 2>note >depths.jsonl
grep chance note
grep -o '"depth":[0-9.]*' depths.jsonl | sort -u | wc -l

# Prompts.
"${needle[@]}" -L 420 --depths 50 --print-prompts
lmeval passkey --model stories -L 256 --trials 1 --depths 50 --print-prompts
lmeval passkey --model stories --variant landmark -L 0,100 --trials 2 --print-prompts
# int(3.75 * 300 // 1024 * 1024) = 1024 characters of noise, int(5 / 16 * 1024) = 320 of them
# before the key.
lmeval passkey --model stories --variant chunkllama-needle -L 300 --trials 1 --depths 31.25 --print-prompts |
    sed 's/\\n/\n/g' | awk '{ print length($0) }'

fails() { "$@" >/dev/null 2>err && echo "was done: $*"; sed 's/ (lmeval.* --help.*//' err; }
fails lmeval needle --model stories -L 400
fails "${needle[@]}" -L 200
fails "${needle[@]}" -L 400 --buffer 20
fails "${needle[@]}" -L 400 --depths 50,20
fails "${needle[@]}" -L 400 --depths 101
fails "${needle[@]}" -L 400 --prompt "no place"
fails "${needle[@]}" -L 400 --stride 16
fails "${needle[@]}" -L 700 --depths 0 --question "Who?" -o all.jsonl
fails lmeval passkey --model stories
fails lmeval passkey --model stories -L 40
fails lmeval passkey --model stories -L 512 --variant landmark --depths 50
