# Perplexity of a trained model: the same from text, shards and a raw file of ids; in one run or
# several, killed in between; and refusals.
. "$LM_SRC/tests/cli/model.bash"
if [ -n "${real:-}" ]; then
    for i in $(seq 1 60); do
        echo "Once upon a time there was a little girl who had $i red balls. She liked to play in the park."
    done
else
    awk -f "$LM_SRC/tests/data/stories.awk" -v seed=21 -v stories=6
fi >story.txt
eval=(lmeval ppl --model stories --windows 3 --bins 4)
# The results, without source and time.
numbers() { sed -E 's/"(tokenizer|text|settings|commit|seconds)":("[^"]*"|[0-9.]+),?//g'; }

"${eval[@]}" --text story.txt --lengths 64,600 -j 1 -o text.jsonl
grep -o '"length":.*"windows":[0-9]*,"tokens":[0-9]*' text.jsonl | sed 's/"value":[0-9.]*,//'

# The model was trained on such stories: perplexity is far below the 512 of uniform guessing, and
# higher beyond the trained length of 512 tokens.
value() { grep "\"length\":$1,\"mode\":\"$2\"" "$3" | grep -o '"value":[0-9.]*' | cut -d: -f2; }
awk -v a="$(value 64 full text.jsonl)" -v b="$(value 600 tail text.jsonl)" 'BEGIN {
    print (a > 1 && a < 30) ? "reads stories" : "perplexity " a; print (b > 1 && b < 512) ? "and long ones" : b }'

# A window's mean is the mean of its bins weighted by tokens; a tail of one bin is the last bin.
"${eval[@]}" -q --text story.txt --lengths 64 --stride 16 | tr ',' '\n' | awk -F '[":]+' '
    $2 == "mode" { mode = $3 }
    $2 == "value" { value = $3 }
    $2 == "tokens" { if (mode == "position") { sum += $3 * value; n += $3; last = value } }
    $2 == "loss" { loss[mode] = $3 }
    function near(a, b) { return (a - b) ^ 2 < 1e-12 ? "equal" : a " and " b }
    END { print near(loss["full"], sum / n), near(loss["tail"], last) }'

# The first window, from three kinds of file.
sed 's/"/\\"/g' story.txt | awk '{ printf "%s\\n", $0 }' | sed 's/.*/{"text": "&"}/' |
    lmtok -q -m stories/tokenizer.model -o story.lmt -
lmpack -q -L 128 --labels -o shards story.lmt
head -c $((4096 + 2 * 129)) shards/shard-00000.lms | tail -c $((2 * 129)) >row.bin # docs/format-shard.md
first=("${eval[@]}" -q --lengths 64 --stride 32 --windows 1)
diff <("${first[@]}" --text story.txt | numbers) <("${first[@]}" --data shards | numbers)
diff <("${first[@]}" --text story.txt | numbers) <("${first[@]}" --bin row.bin | numbers)
"${eval[@]}" --data shards --lengths 600 2>&1 >/dev/null | sed -E 's/[0-9.]+( \+- [0-9.]+)?([,:])/N\2/g'

# Stopped after the first length, last line incomplete, other threads: the same file in the end.
head -n 6 text.jsonl >resumed.jsonl
sed -n 7p text.jsonl | head -c 100 >>resumed.jsonl
"${eval[@]}" --text story.txt --lengths 64,600 -j 2 -o resumed.jsonl 2>&1 | grep -v perplexity
diff <(sed 's/"seconds.*//' text.jsonl) <(sed 's/"seconds.*//' resumed.jsonl) && echo "resumed"

fails() { "$@" >/dev/null 2>err && echo "was done: $*"; sed 's/ (lmeval.* --help.*//' err; }
fails "${eval[@]}" --text story.txt --lengths 64 -a dca -o text.jsonl
fails "${eval[@]}" --text story.txt --lengths 64,100000
fails "${eval[@]}" --lengths 64
fails "${eval[@]}" --text story.txt --data shards --lengths 64
fails "${eval[@]}" --text story.txt
fails "${eval[@]}" --text story.txt --lengths 64,32
fails "${eval[@]}" --text story.txt --lengths 64 --stride 0
fails "${eval[@]}" --bin err --bin-type uint32 --lengths 64
printf '\377\377%200s' '' >wide.bin
fails "${eval[@]}" --bin wide.bin --lengths 8 --stride 8
fails lmeval nothing
fails lmeval ppl --text story.txt --lengths 64
rm stories/tokenizer.model stories/tokenizer.json
fails "${eval[@]}" --text story.txt --lengths 64
