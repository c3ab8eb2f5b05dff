# To be sourced. Sets odd, a folder with odd.jsonl, odd-borderline.jsonl and odd-invalid.jsonl, and
# model, a tokenizer: those of tests/data, or with real=1 those of LM_DATA.
if [ -n "${real:-}" ]; then
    [ -n "$LM_DATA" ] || { echo "no real data (LM_DATA)" >&2; exit 77; }
    odd=$LM_DATA model=$LM_DATA/llama2/tokenizer.model
else
    odd=$PWD/odd-lines model=$LM_SRC/tests/data/tokenizer.model
    mkdir "$odd"
    python3 "$LM_SRC/tests/data/odd.py" "$odd"
fi
