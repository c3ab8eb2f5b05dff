# A model keeps the tokenizer that its directory holds, whatever the file is called: lmtrain copies it and lists it in
# checksums.json, but not where the data has other ids.
data=$LM_SRC/tests/data
lmsynth --bytes 20K >s.jsonl
try() { # what it is called, the file
    echo "-- $1"
    rm -rf s.lmt shards one two
    lmtok -q -m "$2" -o s.lmt s.jsonl
    lmpack -q -L 64 -o shards s.lmt
    ids=$(lmtok -v -m "$2" s.jsonl 2>&1 >x.lmt | sed -n 's/.*, \([0-9,]*\) ids.*/\1/p' | tr -d ,)
    echo "{ \"model_type\": \"llama\", \"hidden_size\": 16, \"intermediate_size\": 32, \"num_hidden_layers\": 1,
        \"num_attention_heads\": 2, \"vocab_size\": $ids }" >shape.json
    lmtrain -q --init shape.json --data shards -b 64 -n 64 -o one
    cp "$2" "one/$1"
    lmtrain -q --model one --data shards -b 64 -n 64 -o two
    cmp "$2" "two/$1"
    lmgen -q --model two -n 3 'of the' >/dev/null
    lmcheck two
    printf x >>"two/$1"
    lmcheck two 2>&1 || echo "exit $?"
}
try tekken_240911.json "$data/ranks/tekken.json"
try tokenizer.model.v3 "$data/tokenizer.model"
try spiece.model "$data/tokenizer.model"
echo "-- data with other ids"
lmtok -q -m "$data/huggingface/gpt2.json" -o other.lmt s.jsonl
lmpack -q -L 64 -o other other.lmt
lmtrain -q --model one --data other -b 64 -n 64 -o three --allow-tokenizer-mismatch
[ ! -e three/spiece.model ] || echo "copied"
