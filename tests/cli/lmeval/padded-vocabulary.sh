# A model whose vocabulary is larger than its tokenizer's, as with padding: an answer contains no id
# without text. With random weights the argmax would nearly always be such an id.
awk -f "$LM_SRC/recipes/toy-corpus.awk" -v what=words |
    LC_ALL=C awk -f "$LM_SRC/recipes/toy-vocab.awk" > tokenizer.model
awk -f "$LM_SRC/recipes/toy-corpus.awk" -v c=64 -v seed=1 -v tokens=3000 | lmtok -q -m tokenizer.model -o d.lmt -
lmpack -q -L 64 --labels -o shards d.lmt
echo '{ "model_type": "llama", "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
    "num_attention_heads": 2, "vocab_size": 8000 }' > shape.json
lmtrain -q --init shape.json -d shards -b 64 -n 64 --lr 1e-9 -o model
cp tokenizer.model model
awk -f "$LM_SRC/recipes/toy-corpus.awk" -v what=haystack -v tokens=100 > haystack.txt
lmeval needle -q -m model --haystack haystack.txt --needle "the pass key is 1 2 3 ." --question "" --answer "1 2 3" \
    --prompt "{context} what ?" --new-tokens 3 --buffer 12 --lengths 64 -o results.jsonl
grep -c exact results.jsonl
