# What may lie in place of a model or of one of its files: each is named with what to do, at once.
data=$LM_SRC/tests/data
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model
rm model/checksums.json
try() {
    local status=0
    timeout 20 lmgen -q -m "$@" -n 1 Once 2>&1 || status=$?
    echo "exit $status"
}
fresh() { rm -rf m; cp -r model m; }
lfs() { printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 12345\n' 0; }
echo "-- in place of the directory"
try absent
try model/config.json
try model/model.safetensors
printf 'GGUF\3\0\0\0' >llama.gguf
try llama.gguf
cp "$data/stories66K.bin" llama2c.bin
try llama2c.bin
mkfifo fifo
try fifo
echo "-- weights in another format"
for other in pytorch_model.bin consolidated.00.pth model-Q4.gguf; do
    fresh
    mv m/model.safetensors m/$other
    try m
done
for file in config.json model.safetensors tokenizer.model; do
    echo "-- $file"
    fresh && rm m/$file && mkfifo m/$file && try m
    fresh && rm m/$file && mkdir m/$file && try m
    fresh && rm m/$file && ln -s /dev/zero m/$file && try m
    fresh && lfs >m/$file && try m
    fresh && echo '<!DOCTYPE html><html>' >m/$file && try m
    fresh && rm m/$file && ln -s nowhere m/$file && try m
done
echo "-- tokenizers"
fresh && rm m/tokenizer.json m/tokenizer.model && try m
fresh && rm m/tokenizer.json && printf 'IQ== 0\nIg== 1\nIw== 2\n' >m/tokenizer.model && try m
fresh && rm m/tokenizer.json && cp m/config.json m/tokenizer.model && try m
status=0; echo '{"text":"a"}' | lmtok -q -m m/tokenizer.model -o t.lmt - 2>&1 || status=$?; echo "exit $status"
status=0; echo '{"text":"a"}' | timeout 20 lmtok -q -m fifo -o t.lmt - 2>&1 || status=$?; echo "exit $status"
echo "-- others that read a model"
status=0; timeout 20 lmeval ppl -q -m fifo --text "$data/essays" -L 64 2>&1 || status=$?; echo "exit $status"
status=0; timeout 20 lmimport -q llama2c fifo "$data/tok512.bin" -o x 2>&1 || status=$?; echo "exit $status"
fresh && mkfifo m/run.json
status=0; timeout 20 lmeval ppl -q -m m --text "$data/essays" -L 64 2>&1 || status=$?; echo "exit $status"
