# To be sourced. Makes corpus/, two files with documents of the seven sources, and sets model, a
# tokenizer: text of lmsynth and the tokenizer of tests/data, or with real=1 a sample of SlimPajama
# and LLaMA-2's tokenizer.
mkdir corpus
if [ -n "${real:-}" ]; then
    [ -n "$LM_DATA" ] || { echo "no real data (LM_DATA)" >&2; exit 77; }
    model=$LM_DATA/llama2/tokenizer.model
    cp "$LM_DATA"/slimpajama-sample/train-0000[01].jsonl.zst corpus
else
    model=$LM_SRC/tests/data/tokenizer.model
    lmsynth -q --bytes 4M --file-bytes 2M --seed 2 -f -o corpus
    rm corpus/synth.json
fi
