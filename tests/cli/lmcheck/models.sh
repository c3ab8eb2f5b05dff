# Models and checkpoints: each file that is missing, has changed or does not belong to the model is
# named; nothing that is no file makes lmcheck wait; a reader warns of sizes that differ.
data=$LM_SRC/tests/data
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model
awk -f "$data/stories.awk" -v json=1 -v seed=1 -v stories=40 | lmtok -q -m model/tokenizer.model -o t.lmt -
lmpack -q -L 64 -o shards t.lmt
lmtrain -q --model model --data shards -b 256 -n 512 --save-every 256 -o out
check() { status=0; lmcheck "$@" 2>&1 || status=$?; echo "exit $status"; }
change() { printf x | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
echo "-- whole"
check model out
check --quick model
echo "-- changed, same size"
change out/model.safetensors 9000
change out/checkpoint-00000001/optimizer.safetensors 9000
change out/checkpoint-00000002/config.json 5
check out
check --quick out | grep -v checkpoint
echo "-- missing, other sizes, of another model"
cp -r model other
echo >>other/config.json
rm other/tokenizer.model
echo '{"weight_map":{}}' >other/model.safetensors.index.json
check other 2>&1 | sed 's/has [0-9]* bytes and not [0-9]*/has N bytes and not N/'
lmgen -m other -n 1 Once 2>&1 | head -n 1 | sed 's/has [0-9]* bytes and not [0-9]*/has N bytes and not N/' || true
echo "-- two models in one directory"
cp -r model two
cp two/model.safetensors two/model-00001.safetensors
echo '{"weight_map":{"model.norm.weight":"model-00001.safetensors"}}' >two/model.safetensors.index.json
rm two/checksums.json
check two
echo "-- left by an earlier model"
cp -r model left
cp model/model.safetensors left/model-00001-of-00002.safetensors
check left
echo "-- without checksums"
cp -r model bare
rm bare/checksums.json
check bare
echo "-- not finished"
rm bare/config.json
touch bare/model.safetensors.new
check bare
echo "-- no files"
mkfifo fifo model/x.lmt
mkdir socket
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket/shard-00000.lms")'
cp -r shards fifos
mkfifo fifos/shard-00001.lms fifos/part-00001-of-00001.lmt
for path in fifo /dev/zero socket/shard-00000.lms model fifos fifos/manifest.json; do
    status=0; timeout 10 lmcheck $path 2>&1 || status=$?; echo "exit $status"
done
