# --resume compares every option that changes bits, names each that differs, and --override allows
# some of them, which run.json records; a log is written only where it is this run's.
data=$LM_SRC/tests/data
awk -f "$data/stories.awk" -v json=1 -v seed=1 -v stories=40 | lmtok -q -m "$data/tokenizer.model" -o t.lmt -
lmpack -q -L 64 -o shards t.lmt
base=(--init "$data/tiny.json" --data shards -b 256 --save-every 256 -o out)
train() { status=0; lmtrain "${base[@]}" "$@" 2>&1 | grep -v -e ': saved' -e 'wrote the model' | sed 's/OpenBLAS[^)]*/BLAS/; s/"step".*/.../' || status=$?; echo "exit $status"; }
kernels() { sed -n 's/.*"blas": "\(.*\)",*/\1/p' "$1"/run.json; }
lmtrain -q "${base[@]}" -n 768 --lr 1e-3 --schedule cosine
rm -r out/checkpoint-00000003
echo "-- each option"
for other in "--lr 2e-3" "--schedule linear" "--warmup 256" "--min-lr 1e-5" "--weight-decay 0.2" "--beta1 0.8" \
    "--beta2 0.9" "--eps 1e-7" "--clip 2" "--dtype bfloat16" "--micro-batch 1" "--tokens 1024" "--seed 1" "--batch 512" \
    "--doc-mask" "--attention dca:12,4"; do
    train -n 768 --lr 1e-3 --schedule cosine --resume $other
done
echo "-- several"
train -n 768 --resume --clip 2 --schedule cosine
train -n 768 --resume --clip 2 --schedule cosine --override lr
train -n 768 --resume --override seed
echo "-- allowed, and recorded"
train -n 768 --resume --clip 2 --schedule cosine --override lr,clip
python3 -c 'import json; print(*json.load(open("out/checkpoint-00000003/run.json"))["run"]["overrides"], sep="\n")'
echo "-- --tokens of a constant learning rate changes no step"
rm -r out
lmtrain -q "${base[@]}" -n 512
train -n 768 --resume
python3 -c 'import json; print(*json.load(open("out/checkpoint-00000003/run.json"))["run"]["overrides"], sep="\n")'
echo "-- the log: lines after the checkpoint are repeated"
log() { sed 's/,"tokens_per_second.*//' out/log.jsonl; }
rm -r out/checkpoint-00000003
log >before
train -n 768 --resume
log | cmp - before
echo "-- a log that is not this run's"
cp out/log.jsonl mine
rm -r out/checkpoint-00000003
sed -i '1s/"loss":./"loss":9/' out/log.jsonl
cp out/log.jsonl theirs
train -n 768 --resume
cmp out/log.jsonl theirs
{ head -n 2 mine; echo "my notes"; } >out/log.jsonl
train -n 768 --resume
tail -n 1 out/log.jsonl
head -n 1 mine >out/log.jsonl
train -n 768 --resume
mv mine out/log.jsonl
echo "-- another file"
echo "my notes" >notes.txt
train -n 768 --resume --log notes.txt
cat notes.txt
new() { status=0; lmtrain -q --init tiny.json --data shards -b 256 -n 256 "$@" 2>&1 || status=$?; echo "exit $status"; }
cp "$data/tiny.json" tiny.json
new -o new --log notes.txt
new -o new --log tiny.json
: >shards/empty
new -o new --log shards/empty
ln -s ../shards/shard-00000.lms new/link
new -o new --log new/link
new -o new --log new/config.json
cat notes.txt
lmcheck -q shards/shard-00000.lms
new -o new --log new.jsonl
wc -l <new.jsonl
echo "-- a run whose log was a device, and the log of another"
lmtrain -q --init tiny.json --data shards -b 256 -n 256 -o device --log /dev/null
rm device/model.safetensors
lmtrain -q --init tiny.json --data shards -b 256 -n 512 -o device --resume --log new.jsonl 2>&1 || true
wc -l <new.jsonl
echo "-- killed before its first checkpoint"
lmtrain -q --init tiny.json --data shards -b 64 -n 64K -o killed --log killed.jsonl &
while [ ! -s killed.jsonl ]; do sleep 0.02; done
kill -KILL $!
wait $! 2>/dev/null || true
lmtrain -q --init tiny.json --data shards -b 64 -n 128 -o killed --log killed.jsonl --resume
wc -l <killed.jsonl
ls killed | grep started || echo "nothing left"
