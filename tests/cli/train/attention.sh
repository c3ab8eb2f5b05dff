# Training with Dual Chunk Attention: at the trained length the first loss is plain RoPE's, at four
# times that far below it; the result is bit-identical with other threads and after a resume,
# the trained length remains in config.json, another form is refused.
. "$LM_SRC/tests/cli/model.bash"
for seed in 1 2 3 4 5 6 7 8 9 10 11 12; do
    lmgen -q --model stories -n 240 -t 0.8 --seed $seed </dev/null
done | python3 -c 'import json, sys; print(json.dumps({"text": sys.stdin.read()}))' >stories.jsonl
lmtok -q -m stories/tokenizer.model -o one.lmt stories.jsonl
lmpack -q -L 512 -o short one.lmt
lmpack -q -L 2048 -o long one.lmt
train() { lmtrain -q --model stories -b 2K -n 6K --lr 1e-3 --save-every 2K "$@"; }
train --data short -o short-rope
train --data short -o short-dca --attention dca
train --data long -o rope
train --data long -o whole --attention dca -j 1
train --data long -o resumed --attention dca
rm -r resumed/model.safetensors resumed/checkpoint-00000003
train --data long -o resumed --attention dca --resume
cmp whole/model.safetensors resumed/model.safetensors
python3 - <<'PY'
import json
def first(run): return json.loads(open(f"{run}/log.jsonl").readline())["loss"]
def trained(run): return json.load(open(f"{run}/config.json"))["max_position_embeddings"]
print("trained lengths:", trained("rope"), trained("whole"))
print("at the trained length the same:", abs(first("short-rope") - first("short-dca")) < 1e-5)
print("at four times that lower by more than 0.15:", first("rope") - first("whole") > 0.15)
PY
rm -r resumed/model.safetensors resumed/checkpoint-00000003
for form in rope dca:chunkllama; do
    status=0; train --data long -o resumed --attention $form --resume 2>&1 || status=$?; echo "exit $status"
done
status=0; train --data long -o resumed --attention dca --rope-base 20000 --resume 2>&1 || status=$?; echo "exit $status"
status=0; train --data long -o other --attention dca:600,100 2>&1 || status=$?; echo "exit $status"
