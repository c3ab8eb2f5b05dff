# Outputs of version 0.1.0 for models: an import, training with each option, generation, and result
# lines of every evaluation. Text, hashes and whole numbers must be equal, floating-point numbers
# near (near.py) to those in models.golden.
data=$LM_SRC/tests/data
command -v python3 >/dev/null || { echo "python3 is absent"; exit 77; }
sum() { python3 "$LM_SRC/tests/cli/golden/sum.py" "$@"; }
stories() { awk -f "$data/stories.awk" -v json="${3:-}" -v seed="$1" -v stories="$2"; }
weights() { # mean and largest magnitude of each tensor of a file
    python3 - "$1" <<'PY'
import array, json, struct, sys
raw = open(sys.argv[1], "rb").read()
n, = struct.unpack_from("<Q", raw)
for name, t in json.loads(raw[8:8 + n]).items():
    if name == "__metadata__": continue
    begin, end = t["data_offsets"]
    bits = raw[8 + n + begin:8 + n + end]
    if t["dtype"] == "BF16": bits = b"".join(b"\0\0" + bits[i:i + 2] for i in range(0, len(bits), 2))
    x = array.array("f", bits)
    unit = {"m": 1e-3, "v": 1e-6}.get(name[-1], 1)  # of the optimizer's two moments
    print(name, t["dtype"], t["shape"], "%.7f %.7f" % (sum(map(abs, x)) / len(x) / unit, max(map(abs, x)) / unit))
PY
}
log() { sed -E 's/,"(tokens_per_second|mfu|memory_mib)":[0-9.]+//g' "$1"; }

{
# ---- lmimport -----------------------------------------------------------------------------------
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model
sum model/config.json model/model.safetensors model/tokenizer.json model/tokenizer.model model/tokenizer_config.json

# ---- lmtrain ------------------------------------------------------------------------------------
stories 6 60 1 | lmtok -q -m "$data/tokenizer.model" -o train.lmt -
stories 7 9 1 | lmtok -q -m "$data/tokenizer.model" -o held.lmt -
lmpack -q -L 256 --labels -o shards train.lmt
lmpack -q -L 256 --labels --pack best-fit -o fitted train.lmt
lmpack -q -L 256 --labels -o held held.lmt
train() { # OUTPUT OPTIONS
    local out=$1
    shift
    lmtrain -q --data shards -b 2K -n 8K --lr 1e-3 --allow-tokenizer-mismatch -o $out "$@" 2>/dev/null
    echo "-- $out"
    log $out/log.jsonl
    sed 's/.*"step":/"step":/' $out/checkpoint-*/run.json | grep -E '^( {4})?"(step|tokens|seq_len|sequences_a_step|doc_mask|attention)"'
}
same() { for f in "${@:2}"; do cmp $1/model.safetensors $f/model.safetensors; done; }
train rope --init "$data/tiny.json" --seed 5
weights rope/model.safetensors
weights rope/checkpoint-00000004/optimizer.safetensors
sum rope/config.json
train recompute --init "$data/tiny.json" --seed 5 --recompute -j 1
train kept --init "$data/tiny.json" --seed 5 --recompute --keep-attention --slice 128
train offload --init "$data/tiny.json" --seed 5 --recompute --offload optimizer,checkpoints --save-every 4K --keep 1
same rope recompute kept offload
train micro --init "$data/tiny.json" --seed 5 --micro-batch 1
train more --model model --eval-data held --eval-every 4K --eval-tokens 1K --schedule cosine --warmup 2K --min-lr 1e-5 \
    --weight-decay 0.05 --beta1 0.8 --beta2 0.9 --eps 1e-6 --clip 0.1
train linear --model model --schedule linear --rope-base 20000 --seq-len 128 --dtype bfloat16
weights linear/model.safetensors
sum linear/config.json
train mask --model model --doc-mask --eval-data held
train masked-rows --model model --doc-mask --data fitted
train dca --model model --attention dca:48,16
train dca-mask --model model --attention dca:chunkllama --doc-mask
train whole --model model --save-every 4K
rm -r whole/checkpoint-00000004 whole/model.safetensors
train whole --model model --save-every 4K --resume
lmtrain --init llama2-7b --data shards --dry-run --recompute -L 256 | grep -v available | grep -o '[0-9.]* [KMG]iB'

# ---- lmgen --------------------------------------------------------------------------------------
gen() { echo "-- gen $*"; lmgen -q --model model "$@"; echo; }
gen -n 150 ''
gen -n 60 'Once upon a time, there was a little boy'
gen -n 40 -t 0.8 --seed 3 'Once upon a time'
gen -n 40 -t 1 --top-k 5 --top-p 0.9 --seed 4 ''
gen -n 8 --logprobs 'One day, Tim saw a'
gen -n 8 -t 0.7 --logprobs --seed 2 'One day, Tim saw a'
gen -n 24 --no-bos --attention dca:64,16 --length 300 'The dog'
gen -n 24 --rope-scaling yarn:4 --mscale 0.1 --length 1000 'They ran'
gen -n 24 --rope-base 20000 --attention dca --dca-parts intra 'They ran'

# ---- lmeval -------------------------------------------------------------------------------------
stories 8 40 >story.txt
measure() { echo "-- $1"; lmeval "$1" -q -m model "${@:2}" 2>/dev/null | sed -E 's/"commit":"[^"]*",//; s/,"seconds":[0-9.e-]+//'; }
measure ppl --text story.txt -L 64,256 --windows 2 --bins 2
measure ppl --text story.txt -L 600 --windows 1 --bins 0 -a dca
measure ppl --text story.txt -L 600 --windows 1 --bins 0 -a dca:chunkllama --rope-scaling ntk:2 --mscale 0.05
measure ppl --text story.txt -L 600 --windows 1 --bins 0 --rope-scaling dynamic:2
measure ppl --text story.txt -L 600 --windows 1 --bins 0 --rope-scaling linear:2 -a dca:96,32 --dca-parts intra+inter
rows() { measure "$@" | sed -E 's/"(text|data|settings|cell)":"[0-9a-f]*",//g'; } # shards name the version, so their hashes differ
rows ppl --allow-tokenizer-mismatch --data held -L 128 --windows 2 --bins 0 --stride 64
measure domains --allow-tokenizer-mismatch --data held.lmt --ranges 64,512 --at 64,128 --at-width 16 --bootstrap 50
rows domains --allow-tokenizer-mismatch --data held --by row --ranges 64,256 --at 64 --at-width 16 --documents 3 --bootstrap 50
for form in rope dca:48,16; do
    lmeval domains -q --allow-tokenizer-mismatch -m model -a $form --data held.lmt --ranges 64,512 --at 64 --at-width 16 --bootstrap 50 -o of-$form.jsonl
done
echo "-- compare"
lmeval compare -q of-rope.jsonl of-dca:48,16.jsonl | sed -E 's/"commit":"[^"]*",//; s/,"seconds":[0-9.e-]+//'
measure needle --haystack "$data/essays" -L 420,700 --depths 0,50 --new-tokens 8
measure needle --haystack story.txt -L 300 --depths 50 --bos-quirk --prompt '{context} {question}' --buffer 80 \
    --needle ' Tim saw a red duck in the park.' --question 'One day, Tim saw a' --answer 'red duck' --new-tokens 6
for v in clean landmark chunkllama chunkllama-needle; do measure passkey -L 256 --trials 1 --variant $v; done
measure ruler niah_single_1 niah_single_2 niah_multikey_2 niah_multivalue vt fwe -L 900 --samples 1 --haystack "$data/essays"
measure ruler cwe -L 2000 --samples 1
mkdir -p mmlu/dev mmlu/test
for i in 1 2 3; do echo "What is $i plus one?,$i,$((i + 1)),$((i + 2)),0,B"; done >mmlu/dev/sums_dev.csv
echo '"What, then, is ""two"" and one?",One,Two,Three,Four,C' >mmlu/test/sums_test.csv
measure mmlu mmlu --shots 2
echo '{"id": 0, "context": "Once upon a time there was a cat. She was happy.", "input": "Who was happy?", "answer": ["The cat", "A cat."]}' >book.jsonl
measure bookqa book.jsonl
echo '{"id": "q", "pid": "q_0", "input": "A story about a cat.", "query": "Who is it about?", "output": "a cat", "query_examples": ["What?", "Where?"], "output_examples": ["a ball", "the park"]}' >few_shot_qasper.jsonl
measure fewshot few_shot_qasper.jsonl
echo '{"instructions": ["Question 1. Which is red?\nA. a ball\nB. a cat"], "outputs": ["A"], "input": "The ball is red.", "source": "x", "evaluation": "exam"}' >coursera.jsonl
measure leval coursera.jsonl
echo "-- score"
echo '{"prediction": "John Smith.", "answers": ["John Smith", "Smith"]}' | lmeval score bookqa - |
    sed -E 's/"commit":"[^"]*",//; s/,"seconds":[0-9.e-]+//'
} >got
python3 "$LM_SRC/tests/cli/golden/near.py" "$LM_SRC/tests/cli/golden/models.golden" got >&2
