# L-Eval's tasks on files written here, with the fields of the published ones: prompts of each task,
# documents truncated from the right by words, the second question of SFiction, and invalid files.
. "$LM_SRC/tests/cli/model.bash"
cat >coursera.jsonl <<'X'
{"instructions": ["Question 1. Which are red?\nA. a ball\nB. a cat\nC. a car", "Question 2. Who?\nA. I\nB. you"], "outputs": ["AC", "B"], "input": "The ball and the car are red.", "source": "x", "evaluation": "exam"}
X
sed 's/"AC", "B"/"(B) a cat", "A"/' coursera.jsonl | tee quality.jsonl >tpo.jsonl
cat >sci_fi.jsonl <<'X'
{"instructions": ["Dogs can fly, True or False? Answer this question based on the world described in the document."], "outputs": ["True [fact: False]"], "input": "The dog flew to the moon.", "evaluation": "exam", "source": "x"}
X
{ printf '{"instructions": ["Q?"], "outputs": ["A"], "input": "'
  for i in $(seq 1 400); do printf 'word%d ' $i; done; echo '"}'; } >long_tpo.jsonl
leval=(lmeval leval --model stories)
"${leval[@]}" coursera.jsonl quality.jsonl sci_fi.jsonl --print-prompts
[ "$("${leval[@]}" quality.jsonl --print-prompts | sed 's/.*"prompt"//')" = \
  "$("${leval[@]}" tpo.jsonl --print-prompts | sed 's/.*"prompt"//')" ] && echo "quality and tpo ask alike"
# 2000 - 512 words at first, reduced by 100 while they have more than 2000 - 512 - 200 tokens.
"${leval[@]}" long_tpo.jsonl --max-prompt 2000 --print-prompts | grep -o 'word1 \|word[0-9]* .nQuestion'
"${leval[@]}" sci_fi.jsonl tpo.jsonl --max-prompt 800 -o out.jsonl -j 1 2>&1 | sed 's/[0-9]*\.[0-9]*/N/g'
grep -o '"document":0.*"question":[0-9]*\|"questions":.*"value"\|"loyalty":[01]\.0,"fact":[01]\.0\| \[fact: ' out.jsonl
head -n 1 out.jsonl >resumed.jsonl
"${leval[@]}" -q tpo.jsonl sci_fi.jsonl --max-prompt 800 -o resumed.jsonl -j 1
diff <(sed 's/"seconds.*//' out.jsonl | sort) <(sed 's/"seconds.*//' resumed.jsonl | sort) && echo "resumed"

fails() { "$@" >/dev/null 2>err && echo "was done: $*"; sed 's/ (lmeval.* --help.*//' err; }
fails "${leval[@]}"
fails "${leval[@]}" long.jsonl
fails "${leval[@]}" tpo.jsonl --max-prompt 700
sed 's/, "A"\]/]/' tpo.jsonl >bad_tpo.jsonl; fails "${leval[@]}" bad_tpo.jsonl
{ cat tpo.jsonl; sed 's/"input"/"document"/' tpo.jsonl; } >bad_tpo.jsonl; fails "${leval[@]}" bad_tpo.jsonl
