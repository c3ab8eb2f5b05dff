# From a checkpoint of llama2.c and documents to a further trained model; the same from a run that
# was stopped and resumed, with other threads and memory options.
. "$LM_SRC/tests/cli/model.bash"
ls stories
# Text the model was not trained on: that of tests/data knows lmsynth's language, but not that of
# recipes/toy-corpus.awk.
if [ -n "${real:-}" ]; then documents() { lmsynth --bytes $1 --seed $2; }
else documents() { awk -f "$LM_SRC/recipes/toy-corpus.awk" -v c=64 -v seed=$2 -v tokens=$((${1%K} * 120)); }; fi
documents 200K 0 | lmtok -q -m stories/tokenizer.model -o train.lmt -
documents 30K 5 | lmtok -q -m stories/tokenizer.model -o held.lmt -
lmpack -q -L 256 --labels -o shards train.lmt
lmpack -q -L 256 --labels -o held held.lmt

train=(lmtrain -q --model stories --data shards --eval-data held -b 4K -n 40K --lr 1e-3 --schedule linear
    --warmup 8K --save-every 8K --eval-every 16K --rope-base 20000)
"${train[@]}" -o one -j 1
ls one | grep -v checkpoint
grep -o '"rope_theta": 20000.0' one/config.json
cmp stories/tokenizer.model one/tokenizer.model
ls -d one/checkpoint-* | wc -l

# Two runs at once are refused.
{ flock one "${train[@]}" -o one --resume 2>&1 || true; } | grep -o "in use by another run"

# Stopped by SIGTERM as soon as a checkpoint exists; then resumed.
"${train[@]}" -o two -j 2 --recompute --slice 256 &
pid=$!
while ! ls -d two/checkpoint-????????/ >/dev/null 2>&1 && kill -0 $pid 2>/dev/null; do sleep 0.02; done
kill -TERM $pid 2>/dev/null || true
wait $pid || status=$?
case ${status:-0} in 0 | 130 | 143) ;; *) echo "exit $status" ;; esac
"${train[@]}" -o two -j 2 --recompute --keep-attention --resume
cmp one/model.safetensors two/model.safetensors && echo "bit-identical"
first=$(grep -m 1 -o '"eval_loss":[0-9.]*' one/log.jsonl | cut -d: -f2)
last=$(grep -o '"eval_loss":[0-9.]*' one/log.jsonl | tail -n 1 | cut -d: -f2)
awk -v a="$first" -v b="$last" 'BEGIN { print (b < a - 0.3) ? "the held-out loss fell" : "held-out loss " a " to " b }'
diff <(grep eval_loss one/log.jsonl) <(grep eval_loss two/log.jsonl)
