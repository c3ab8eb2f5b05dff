# Ids and model belong together: shards and stores of another tokenizer of the same size are refused
# by lmtrain, lmeval domains and lmeval ppl --data, or taken with --allow-tokenizer-mismatch; the
# model's tokenizer is then not copied.
data=$LM_SRC/tests/data
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model
stories() { awk -f "$data/stories.awk" -v json=1 -v seed="$1" -v stories=40; }
for kind in own:model/tokenizer.model other:"$data/tokenizer.model"; do
    stories 1 | lmtok -q -m "${kind#*:}" -o "${kind%%:*}.lmt" -
    lmpack -q -L 64 --labels -o "${kind%%:*}" "${kind%%:*}.lmt"
done
hide() { sed 's/([0-9a-f]\{16\})/(HASH)/g'; }
try() { status=0; "$@" 2>&1 >/dev/null | hide || status=$?; echo "exit $status"; }
train() { try lmtrain -q --model "${1:-model}" --data "$2" -b 256 -n 256 -o "$3" "${@:4}"; }
echo "-- lmtrain"
train model own right
ls right | grep tokenizer.model
train model other wrong
[ ! -e wrong ] || echo "something was written"
train model other wrong --allow-tokenizer-mismatch
ls wrong | grep tokenizer.model || echo "no tokenizer for other ids"
train model own mixed --eval-data other
echo "-- a model trained with other ids: its checksums.json knows them"
train wrong own again
train wrong other again
cp "$data/tokenizer.model" wrong/
lmcheck wrong | grep -c ^ok
cp model/tokenizer.model wrong/
lmcheck wrong 2>&1 >/dev/null || true
rm wrong/tokenizer.model
try lmtrain -q --model wrong/checkpoint-00000001 --data own -b 256 -n 256 -o third
echo "-- an output directory with another tokenizer"
train model other right --allow-tokenizer-mismatch --resume
cp -r model copy
train copy other copy --allow-tokenizer-mismatch
echo "-- a model without one"
cp -r model bare
rm bare/tokenizer.model bare/checksums.json
lmtrain --model bare --data other -b 256 -n 256 -o fourth 2>&1 | grep tokenizer
echo "-- lmeval"
for d in own own.lmt; do try lmeval domains -q -m model --data $d --ranges 64 --documents 1; done
for d in other other.lmt; do try lmeval domains -q -m model --data $d --ranges 64 --documents 1; done
try lmeval domains -q -m model --data other --ranges 64 --documents 1 --allow-tokenizer-mismatch
try lmeval ppl -q -m model --data own -L 64 --stride 16 --windows 1
try lmeval ppl -q -m model --data other -L 64 --stride 16 --windows 1
try lmeval ppl -q -m model --data other -L 64 --stride 16 --windows 1 --allow-tokenizer-mismatch
