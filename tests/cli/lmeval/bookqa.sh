# BookQA on two questions written here: the prompt, truncation in the middle, both scores of the
# answers, and invalid files.
. "$LM_SRC/tests/cli/model.bash"
cat >book.jsonl <<'X'
{"id": 0, "context": "Once upon a time there was a cat.\nShe was happy.", "input": "Who was happy?", "answer": ["The cat", "A cat."], "options": []}
{"id": 1, "context": "One day a boy named Tim went to the park. He saw a big dog and ran home. The end.", "input": "Who saw the dog?", "answer": ["Tim"]}
X
bookqa=(lmeval bookqa --model stories)
"${bookqa[@]}" book.jsonl --print-prompts
# The first and the last 32 tokens; the question is kept. An odd length loses its last token.
"${bookqa[@]}" book.jsonl --print-prompts --max-prompt 65 | tail -n 1
"${bookqa[@]}" book.jsonl -o out.jsonl -j 1 2>&1 | sed 's/[0-9]*\.[0-9]*/N/g'
grep -o '"metric":.*"questions":2' out.jsonl
# The model's own answers as references: recall and F1 are 1.
word=$(sed -n 's/.*"question":1,.*"prediction":"\([^" ]*\).*/\1/p' out.jsonl)
[ -n "$word" ] && sed "s/\"Tim\"/\"$word\"/" book.jsonl | sed -n 2p >own.jsonl
"${bookqa[@]}" -q own.jsonl -j 1 | grep -o '"metric":"recall".*"value":[0-9.]*'
head -n 1 out.jsonl >resumed.jsonl
"${bookqa[@]}" -q book.jsonl -o resumed.jsonl -j 1
diff <(sed 's/"seconds.*//' out.jsonl) <(sed 's/"seconds.*//' resumed.jsonl) && echo "resumed"

fails() { "$@" >/dev/null 2>err && echo "was done: $*"; sed 's/ (lmeval.* --help.*//' err; }
fails "${bookqa[@]}"
fails "${bookqa[@]}" absent.jsonl
echo '{"context": "x", "answer": ["y"]}' >>own.jsonl; fails "${bookqa[@]}" own.jsonl
echo '{"context": "x", "input": "q", "answer": []}' >bad.jsonl; fails "${bookqa[@]}" bad.jsonl
: >empty.jsonl; fails "${bookqa[@]}" empty.jsonl
fails "${bookqa[@]}" book.jsonl --shots 3
