# Every block of commands in README.md runs as printed, one after the other in one folder, at smaller
# sizes. What it needs is there: a folder of SlimPajama, a tokenizer, a model, a book, essays.
lmimport -q llama2c "$LM_SRC/tests/data/stories66K.bin" "$LM_SRC/tests/data/tok512.bin" -o llama
cp llama/tokenizer.model .
mkdir SlimPajama-627B
lmsynth -q --bytes 6M --file-bytes 2M --seed 3 -o SlimPajama-627B/train
rm SlimPajama-627B/train/synth.json
# Tokenizers and models by the names that README has for them, of our own data.
mkdir Qwen3-8B Meta-Llama-3-8B
cp "$LM_SRC/tests/data/huggingface/qwen2.json" Qwen3-8B/tokenizer.json
cp tokenizer.model Meta-Llama-3-8B/ # no file of ours has the hash of LLaMA-3's
cp "$LM_SRC"/tests/data/ranks/*.tiktoken my.tiktoken
if command -v python3 > /dev/null; then
    python3 "$LM_SRC/tests/cli/lmimport/gguf.py" stories llama SmolLM2-135M-Instruct.Q4_1.gguf
else
    lmimport() { cp -r llama "${@: -1}"; } && export -f lmimport # only the writer of the GGUF file is in Python
fi
cp -r "$LM_SRC/tests/data/essays" "$LM_SRC/recipes" .
cat essays/*.txt > book.txt
export TOKENS=100K ROW=1024 PARTS=3 # of recipes/slimpajama-5b.sh

smaller() {
    sed -e 's/--batch 4M --tokens 5B/--batch 8K --tokens 16K/' -e 's/--tokens 5B/--tokens 300K/' \
        -e 's/-L 131072/-L 4096/' -e 's/-L 81920/-L 2048/' -e 's/-n 200/-n 20/' \
        -e 's|--haystack essays/|& --lengths 512 --depths 50|'
}
# One file for each block.
awk '/^```sh$/ { n++; inside = 1; next } /^```/ { inside = 0 } inside { print > ("block-" n) }' "$LM_SRC/README.md"
[ -e block-5 ]
bad=0
for block in block-*; do
    # `make` is what this test is part of.
    sed '/^make /d' "$block" | smaller > script
    bash -eu -o pipefail script > out 2>&1 < /dev/null ||
        { echo "README.md, $block: exit $?"; cat script; tail -n 5 out; bad=1; }
done
for made in shards stream-shards part-shards; do lmcheck -q $made > /dev/null; done
diff -r shards part-shards # as README says
[ -s needle.png ]
exit $bad
