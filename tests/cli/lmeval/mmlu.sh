# MMLU on two subjects written here, with a trained model that cannot answer: prompts, the rule that
# drops examples, answers by likelihood, means, resuming, and invalid files.
. "$LM_SRC/tests/cli/model.bash"
mkdir -p data/dev data/test
for i in 1 2 3 4 5 6; do echo "What is $i plus one?,$i,$((i + 1)),$((i + 2)),0,B"; done >data/dev/tiny_sums_dev.csv
cat >data/test/tiny_sums_test.csv <<'X'
"What, then, is ""two"" and one?",One,Two,Three,Four,C
"Which comes
last?",a,b,"c, of course",d,D
X
if [ -n "${real:-}" ]; then right=A; else right=B; fi # not what the model chooses
printf "Who?,I,you,he,she,$right\r\n" | tee data/dev/people_dev.csv >data/test/people_test.csv
mmlu=(lmeval mmlu data --model stories)
"${mmlu[@]}" --shots 1 --print-prompts
"${mmlu[@]}" --shots 0 --one-space --print-prompts | tail -n 1
# 2048 tokens hold all examples, 200 two.
examples() { "${mmlu[@]}" --print-prompts "$@" | sed -n 2p | { grep -o 'plus one' || true; } | wc -l; }
examples; examples --shots 6; examples --max-prompt 200; examples --shots 0
"${mmlu[@]}" -o out.jsonl -j 1
grep -o '"subject":"[a-z_]*","questions":[0-9]*' out.jsonl
head -n 2 out.jsonl >resumed.jsonl
"${mmlu[@]}" -q -o resumed.jsonl -j 2 --no-share
diff <(sed 's/"seconds.*//' out.jsonl) <(sed 's/"seconds.*//' resumed.jsonl) && echo "resumed"
# With its choices as the right answers, accuracy is 1.
sed -i "s/,$right\r/,$(sed -n '1s/.*"choice":"\(.\)".*/\1/p' out.jsonl)\r/" data/test/people_test.csv
"${mmlu[@]}" -q -j 1 | grep -o '"subject":"[a-z]*","questions":[0-9]*,"value":[0-9.]*'

fails() { "$@" >/dev/null 2>err && echo "was done: $*"; sed 's/ (lmeval.* --help.*//' err; }
fails lmeval mmlu --model stories
fails lmeval mmlu stories --model stories
fails "${mmlu[@]}" --max-prompt 60
fails "${mmlu[@]}" --shots 2 -o out.jsonl
fails "${mmlu[@]}" --samples 3
echo 'Who?,I,you,he,she,E' >data/test/people_test.csv; fails "${mmlu[@]}"
echo 'Who?,I,you,he,A' >data/test/people_test.csv; fails "${mmlu[@]}"
: >data/test/people_test.csv; fails "${mmlu[@]}"
rm data/test/people_test.csv data/dev/tiny_sums_dev.csv; fails "${mmlu[@]}"
