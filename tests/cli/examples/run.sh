# Every example of every program's --help and man page runs unchanged, in a folder that holds
# corpus/ tokenizer.model store.lmt plan.json shards/ recipes/ tiny.json model.bin tokenizer.bin (of
# llama2.c) model/ model.gguf results.jsonl log.jsonl. Each program gets a fresh copy.
command -v spm_train >/dev/null || { echo "spm_train is absent"; exit 77; }

mkdir fixture && cd fixture
cp -r "$LM_SRC/recipes" .
lmsynth -q --bytes 6M --file-bytes 2M --seed 3 --format jsonl -o corpus
{ head -c 1M; cat >/dev/null; } <corpus/train-00001.jsonl |
    sed -e 's/^{"text": "//; s/", "meta".*//; s/\\n/\n/g; s/\\"/"/g; s/\\\\/\\/g' >../sample.txt
spm_train --input=../sample.txt --model_prefix=tokenizer --vocab_size=700 --model_type=bpe \
    --byte_fallback --normalization_rule_name=identity --remove_extra_whitespaces=false \
    --split_digits >../train.log 2>&1 || { tail ../train.log; exit 1; }
rm tokenizer.vocab
lmtok -q -m tokenizer.model -o store.lmt corpus
lmplan -q -r per-source --tokens 1M --when-short shrink -L 4096 -o plan.json store.lmt
lmmix -q plan.json store.lmt | lmpack -q -L 4096 -o shards
echo '{ "model_type": "llama", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
    "num_attention_heads": 2, "vocab_size": 700 }' >tiny.json
# llama2.c: seven numbers and 2,800 weights; the longest piece, and 259 pieces of score, length,
# text.
{ printf '\x08\0\0\0\x10\0\0\0\x01\0\0\0\x02\0\0\0\x02\0\0\0\x03\x01\0\0\x10\0\0\0'
    head -c 11200 /dev/zero; } >model.bin
{ printf '\x06\0\0\0'
    for special in 1 2 3; do printf '\0\0\0\0\x06\0\0\0<sp%02d>' $special; done
    for byte in $(seq 0 255); do printf '\0\0\0\0\x06\0\0\0<0x%02X>' "$byte"; done; } >tokenizer.bin
lmimport -q llama2c model.bin tokenizer.bin -o model
cp "$LM_SRC/tests/fuzz/corpus/fuzz_gguf/byte-level" model.gguf
for form in rope dca; do
    head='"model":"model","attention":"'$form'","scaling":"none","trained":16'
    for length in 16 32; do
        echo "{\"eval\":\"ppl\",$head,\"length\":$length,\"mode\":\"full\",\"value\":2.5}"
        echo "{\"eval\":\"needle\",$head,\"length\":$length,\"depth\":50,\"score\":\"repo\",\"value\":0.9}"
    done
done >results.jsonl
echo '{"step":1,"tokens":4096,"loss":9.5}' >log.jsonl
cd ..

failed=0
for program in "$LM_BUILD"/bin/lm*; do
    name=$(basename "$program")
    cp -r fixture work
    commands=0 said=
    while IFS= read -r line; do
        case $line in
            '#'*) said=1; continue ;;
            '') echo "$name: an empty line among the examples"; failed=1; continue ;;
        esac
        [ -n "$said" ] || { echo "$name: the first example has no line that says what it shows"; failed=1; }
        commands=$((commands + 1))
        (cd work && bash -o pipefail -c "$line") >log 2>&1 </dev/null || {
            echo "$name: exit $?: $line"; tail -n 3 log; failed=1; }
    done < <("$name" --examples)
    [ "$commands" -gt 0 ] || { echo "$name has no examples"; failed=1; }
    rm -rf work
done
exit $failed
