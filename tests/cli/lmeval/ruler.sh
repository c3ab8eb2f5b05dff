# RULER on a trained model that cannot answer: lengths are filled, samples depend only on the seed,
# a run resumes, means are correct; and refusals. tests/unit/test_eval_ruler.c tests the texts.
. "$LM_SRC/tests/cli/model.bash"
for i in $(seq 1 30); do echo "Tim saw a big dog on day $i. \"Was it happy?\" It was. They ran"; done >book.txt
ruler=(lmeval ruler --model stories)
"${ruler[@]}" -L 450 --samples 1 niah_single_1 --print-prompts
"${ruler[@]}" -L 800 --samples 1 vt --print-prompts
"${ruler[@]}" -L 800,1100 --samples 2 niah_multikey_3 niah_multiquery --haystack book.txt --seed 3 -j 1 -o out.jsonl 2>&1
grep -o '"task":.*"value":[0-9.]*' out.jsonl | sed 's/"haystack":"[0-9a-f]*",//' | grep questions
grep -c '"outputs":\["[^,]*","[^,]*","[^,]*","[^,]*"\],"prediction":"' out.jsonl
head -n 3 out.jsonl >resumed.jsonl
"${ruler[@]}" -q -L 800,1100 --samples 2 niah_multikey_3 niah_multiquery --haystack book.txt --seed 3 -j 1 -o resumed.jsonl
diff <(sed 's/"seconds.*//' out.jsonl) <(sed 's/"seconds.*//' resumed.jsonl) && echo "resumed"
# Prompt and answer fill the length up to less than a line, a noise text, or a step of word counts.
"${ruler[@]}" -q -L 2500 --samples 1 --haystack book.txt -j 1 -o filled.jsonl
sed -n 's/.*"task":"\([a-z_0-9]*\)".*"length":2500,"sample":0.*"tokens":\([0-9]*\),.*/\1 \2/p' filled.jsonl |
    while read -r task tokens; do
        case $task in niah*) new=128 ;; vt) new=30 ;; cwe) new=120 ;; fwe) new=50 ;; esac
        free=$((2500 - new - tokens))
        [ $free -ge 0 ] && [ $free -lt 90 ] && echo "$task fills" || echo "$task leaves $free"
    done

fails() { "$@" >/dev/null 2>err && echo "was done: $*"; sed 's/ (lmeval.* --help.*//' err; }
fails "${ruler[@]}" niah
fails "${ruler[@]}" niah_single_2
fails "${ruler[@]}" vt -L 64
fails "${ruler[@]}" -L 1024 --print-prompts
fails "${ruler[@]}" -L 1024 --shots 2
: >empty.txt; fails "${ruler[@]}" -L 1024 niah_single_2 --haystack empty.txt
