# Predictions scored without a model, in the fields of each published kind of file.
cat >needle.jsonl <<'X'
{"prediction": "eat a sandwich and sit in Dolores Park on a sunny day.", "answer": "eat a sandwich and sit in Dolores Park on a sunny day."}
{"prediction": "to visit the Golden Gate Bridge and have a drink in a bar on the water.", "answer": "eat a sandwich and sit in Dolores Park on a sunny day."}
X
cat >bookqa.jsonl <<'X'
{"id": 0, "prediction": "John Smith.", "ground_truth": ["John Smith", "Smith"]}
{"id": 1, "prediction": "the old house", "ground_truth": ["an old, old house"]}
{"id": 2, "prediction": "", "ground_truth": ["nobody"]}
X
sed 's/"prediction"/"pred"/; s/"ground_truth"/"label"/' bookqa.jsonl >published.jsonl
cat >qmsum.jsonl <<'X'
{"prediction": "The vote on the budget was postponed until March by the committee.", "answers": ["no", "The committee agreed to postpone the vote on the budget until March."]}
{"prediction": "a a b", "answers": "a b a b"}
X
cat >coursera.jsonl <<'X'
{"query": "Q1", "gt": "AC", "chat16k_pred": "A, C."}
{"query": "Q2", "gt": "AC", "chat16k_pred": "C"}
{"query": "Q3", "gt": "AC", "chat16k_pred": ""}
{"query": "Q4", "gt": "B", "chat16k_pred": "ABC"}
X
cat >tpo.jsonl <<'X'
{"gt": "(C) He could not", "chat16k_pred": " (C) He could not"}
{"gt": "C", "chat16k_pred": "The Answer is C"}
X
cat >sci_fi.jsonl <<'X'
{"gt": "True [fact: False]", "chat16k_pred": " True. [fact:  False, since dogs cannot fly</s>]"}
{"gt": "False [fact: False]", "chat16k_pred": " True [fact:  I do not know]"}
X
cat >ruler.jsonl <<'X'
{"index": 0, "pred": " abcde, FGHIJ", "outputs": ["ABCDE", "FGHIJ", "KLMNO", "PQRST"]}
{"index": 1, "pred": "7654321", "outputs": ["7654321"]}
X
echo '{"prediction": " 4711. 12", "answer": "4711"}' >passkey.jsonl
echo '{"prediction": "The Cat!", "answers": ["dog", "a cat"]}' >quality.jsonl
score() { lmeval score "$@" | grep -o '"kind":.*"value":[0-9.]*' | sed 's/"predictions":"[0-9a-f]*",//'; }
score needle needle.jsonl
score bookqa bookqa.jsonl; score bookqa published.jsonl; score narrative_qa - <bookqa.jsonl
score qasper bookqa.jsonl; score quality quality.jsonl; score qmsum qmsum.jsonl
score leval-coursera coursera.jsonl; score leval-tpo tpo.jsonl; score leval-quality tpo.jsonl
score leval-sci_fi sci_fi.jsonl; score ruler ruler.jsonl; score passkey passkey.jsonl
lmeval score ruler ruler.jsonl ruler.jsonl qmsum.jsonl -o out.jsonl; wc -l <out.jsonl # the same file is one

fails() { "$@" >/dev/null 2>err && echo "was done: $*"; sed 's/ (lmeval.* --help.*//' err; }
fails lmeval score
fails lmeval score mmlu ruler.jsonl
fails lmeval score ruler
fails lmeval score ruler absent.jsonl
fails lmeval score ruler ruler.jsonl --shots 2
echo '{"prediction": "x"}' >>ruler.jsonl; fails lmeval score ruler ruler.jsonl
echo '{"answers": "x"}' >bad.jsonl; fails lmeval score ruler bad.jsonl
echo '{"prediction": "x", "answers": "y"}' >bad.jsonl; fails lmeval score passkey bad.jsonl
: >bad.jsonl; fails lmeval score ruler bad.jsonl
