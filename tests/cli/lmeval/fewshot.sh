# The few-shot tasks on files written here: prompts with the examples of the file or of a pool,
# documents truncated from the left by words, references of several lines with one id, and invalid
# files.
. "$LM_SRC/tests/cli/model.bash"
cat >few_shot_qasper.jsonl <<'X'
{"id": "q1", "pid": "q1_0", "input": "A story about a cat.", "query": "Who is it about?", "output": "a cat", "query_examples": ["What?", "Where?"], "output_examples": ["a ball", "the park"]}
{"id": "q1", "pid": "q1_1", "input": "A story about a cat.", "query": "Who is it about?", "output": "the cat", "query_examples": ["What?", "Where?"], "output_examples": ["a ball", "the park"]}
{"id": "q2", "pid": "q2_0", "input": "Tim ran home.", "query": "Who ran home?", "output": "Tim", "query_examples": ["How?", "When?"], "output_examples": ["fast", "today"]}
X
cat >pool.jsonl <<'X'
{"query": "Who ran home?", "output": "not this one: it is the question itself"}
{"query": "Who ran to the park?", "output": "Sue"}
{"query": "What is red?", "output": "a ball"}
{"query": "Who is happy?", "output": ["Lily", "Ben"]}
X
sed '1,2d' few_shot_qasper.jsonl | sed 's/, "query_ex.*/}/' >few_shot_narrative_qa.jsonl
{ printf '{"id": "m", "query": "Sum it up.", "output": "They ran.", "query_examples": ["Sum?"], "output_examples": ["No."], "input": "'
  for i in $(seq 1 400); do printf 'word%d ' $i; done; echo '"}'; } >few_shot_qmsum.jsonl
fewshot=(lmeval fewshot --model stories)
"${fewshot[@]}" few_shot_qasper.jsonl few_shot_narrative_qa.jsonl --print-prompts
pool() { "${fewshot[@]}" few_shot_qasper.jsonl --pool pool.jsonl --print-prompts "$@" | sed -n '2s/.*"prompt"://p'; }
pool --exemplars best; pool --exemplars worst --shots 1; pool --exemplars best --shots 9
[ "$(pool --exemplars random)" = "$(pool --exemplars random -j 1)" ] && echo "random, but once and for all"
for s in 1 2 3 4 5 6 7 8; do pool --exemplars random --shots 1 --seed $s; done | sort -u | wc -l
# 1700 - 128 words at first, reduced by 100 while they have more than 1700 - 128 - 200 tokens.
"${fewshot[@]}" few_shot_qmsum.jsonl --max-prompt 1700 --print-prompts | grep -o '"prompt":"word[0-9]*\|word400.*'
"${fewshot[@]}" few_shot_*.jsonl --max-prompt 1700 -o out.jsonl -j 1 2>&1 | sed 's/[0-9]*\.[0-9]*/N/g'
grep -o '"task":"[a-z_]*",.*"questions":[0-9]*' out.jsonl | sed 's/"data":"[0-9a-f]*",//'
grep -o '"task":"qmsum".*"rougeL"' out.jsonl | sed 's/"data":"[0-9a-f]*",//; s/:[0-9.]*,/,/g'
head -n 2 out.jsonl >resumed.jsonl
"${fewshot[@]}" -q few_shot_*.jsonl --max-prompt 1700 -o resumed.jsonl -j 1
diff <(sed 's/"seconds.*//' out.jsonl) <(sed 's/"seconds.*//' resumed.jsonl) && echo "resumed"

fails() { "$@" >/dev/null 2>err && echo "was done: $*"; sed 's/ (lmeval.* --help.*//' err; }
fails "${fewshot[@]}"
fails "${fewshot[@]}" pool.jsonl
fails "${fewshot[@]}" few_shot_qasper.jsonl --exemplars best
fails "${fewshot[@]}" few_shot_qasper.jsonl --pool pool.jsonl
fails "${fewshot[@]}" few_shot_qasper.jsonl --shots 3
fails "${fewshot[@]}" few_shot_qmsum.jsonl --max-prompt 300
fails "${fewshot[@]}" few_shot_qmsum.jsonl --max-prompt 400
sed 's/"output": "Tim"/"out": "Tim"/' few_shot_qasper.jsonl >bad_qasper.jsonl; fails "${fewshot[@]}" bad_qasper.jsonl
sed 's/, "today"//' few_shot_qasper.jsonl >bad_qasper.jsonl; fails "${fewshot[@]}" bad_qasper.jsonl
sed 's/"a ball", //' few_shot_qasper.jsonl >bad_qasper.jsonl; fails "${fewshot[@]}" bad_qasper.jsonl --shots 1
