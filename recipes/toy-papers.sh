#!/bin/bash
# Small-scale reproduction of both papers: pretrain small LLaMA models, continue training on five
# mixtures, evaluate, and decide six hypotheses. docs/toy.md describes the experiment.
#
#   recipes/toy-papers.sh [OUT]
#
# OUT (default ./toy) receives results/, figures/, verdicts.md and times. If the script is
# interrupted, run it again to resume. Optional environment variables:
#   TOY=cpu|gpu|smoke (size)  SEEDS="1 2 3"  THREADS=1
#   BASE=18M  MORE=2M (tokens of pretraining and of each continual run, instead of the size's own)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v lmtrain > /dev/null || PATH=$here/../build/bin:$PATH
command -v lmtrain > /dev/null || { echo "toy-papers: lmtrain is not in the PATH: run make first" >&2; exit 1; }
size=${TOY:-cpu} backend=cpu
case $size in
    smoke) c=64 layers=1 width=16 heads=2 mlp=32 base=40K more=16K batch=1K micro=16 pool=400000 held=2000
           windows=2 needles=1 seeds=1 documents=4 ;;
    cpu)   c=64 layers=2 width=64 heads=2 mlp=176 base=6M more=1M batch=1K micro=64 pool=12000000 held=40000
           windows=60 needles=10 seeds="1 2 3" documents=200 ;;
    gpu)   c=512 layers=4 width=256 heads=4 mlp=704 base=150M more=8M batch=64K micro=16 pool=200000000
           held=400000 windows=60 needles=10 seeds="1 2 3" documents=400 backend=cuda ;;
    *) echo "toy-papers: TOY=$size: not one of smoke, cpu, gpu" >&2; exit 1 ;;
esac
seeds=${SEEDS:-$seeds} threads=${THREADS:-1} base=${BASE:-$base} more=${MORE:-$more}
T=$((8 * c)) far=$((13 * c)) lr=2e-3 lr_more=1e-3 raised=100000
mixtures="original cut-c per-source global up-book"
out=${1:-toy}
mkdir -p "$out"/{data,recipes,models,logs,needles,results,figures}
cd "$out"

say() { echo "toy-papers: $*" >&2; }
corpus() { LC_ALL=C awk -f "$here/toy-corpus.awk" -v c=$c "$@"; }
# timed NAME COMMAND...: run the command and append its seconds to `times`.
timed() {
    local name=$1 begin=$EPOCHREALTIME; shift
    "$@"
    awk -v n="$name" -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%s\t%.1f\n", n, b - a }' >> times
}
tokenize() { lmtok -q -j "$threads" -m tokenizer.model -o "$1" -; }

# ---- data ------------------------------------------------------------------------------------

make_data() {
    corpus -v what=words | LC_ALL=C awk -f "$here/toy-vocab.awk" > tokenizer.model
    corpus -v seed=1 -v tokens=$pool | tokenize data/base.lmt
    corpus -v seed=2 -v tokens=$pool | tokenize data/pool.lmt
    # Held-out data: per source, half as many tokens of all lengths as of documents over 2c.
    for source in CommonCrawl C4 GitHub ArXiv Book Wikipedia StackExchange; do
        corpus -v seed=3 -v tokens=$((held / 2)) -v only=$source
        corpus -v seed=4 -v tokens=$held -v only=$source -v least=$((2 * c))
    done | tokenize data/held-out.lmt
    corpus -v seed=5 -v tokens=$((held > 10 * far ? held : 10 * far)) -v only=Book -v least=$((16 * c)) |
        tokenize data/long.lmt
    lmpack -q -L $far -o data/long data/long.lmt
    lmpack -q -L $c --labels --pack best-fit -o data/base data/base.lmt
    for ((i = 1; i <= needles; i++)); do
        corpus -v seed=$((100 + i)) -v what=haystack -v tokens=$far > needles/passkey-$i.txt
        corpus -v seed=$((100 + i)) -v what=haystack -v tokens=$far -v others=3 > needles/pair-$i.txt
        corpus -v seed=$((100 + i)) -v what=needle > needles/$i
    done
    # The recipes of the paper, with 4,096 scaled to c and 131,072 to 13c.
    for mixture in $mixtures; do
        case $mixture in original) from=cut-128k ;; cut-c) from=cut-4k ;; *) from=$mixture ;; esac
        sed "s/\"cut\": 4096/\"cut\": $c/; s/131072/$far/; s/\"threshold\": 4096/\"threshold\": $c/;
            s/\"name\": \"[^\"]*\"/\"name\": \"$mixture\"/; /\"about\"/d; s/\"5B\"/\"$more\"/" \
            "$here/$from.json" > recipes/$mixture.json
    done
    cat > shape.json <<JSON
{ "model_type": "llama", "vocab_size": 96, "hidden_size": $width, "intermediate_size": $mlp,
  "num_hidden_layers": $layers, "num_attention_heads": $heads, "max_position_embeddings": $c,
  "rope_theta": 10000, "initializer_range": 0.1, "tie_word_embeddings": true }
JSON
    touch data/done
}

# ---- training --------------------------------------------------------------------------------

train() { # NAME OPTIONS...
    local name=$1; shift
    [ ! -f models/$name/tokenizer.model ] || return 0
    timed "train $name" lmtrain -q --backend $backend -j "$threads" -b $batch --micro-batch $micro --beta2 0.98 \
        --weight-decay 0 -o models/$name --resume "$@" 2> logs/$name.log || { cat logs/$name.log >&2; return 1; }
    cp tokenizer.model models/$name/
}

pretrain() { # SEED
    train base-$1 --init shape.json -d data/base -n $base --lr $lr --min-lr 2e-4 --schedule cosine \
        --warmup $((8 * $(numfmt --from=si $batch))) --seed $1
}

# Tokens, steps, learning rate and row order are the same for each mixture.
go_on() { # SEED MIXTURE
    local name=$2-$1
    if [ ! -f data/$name/manifest.json ]; then
        lmplan -q -r recipes/$2.json -L $T --seed $1 --when-short repeat -o data/$name.plan data/pool.lmt
        lmmix -q -j "$threads" data/$name.plan data/pool.lmt |
            lmpack -q -j "$threads" -L $T --labels -o data/$name
    fi
    local tokens; tokens=$(numfmt --from=si $more)
    train $name --model models/base-$1 -d data/$name -L $T --micro-batch 4 -n $more --lr $lr_more --rope-base $raised \
        --seed $1 --save-every $((tokens / 8)) --keep 8
}

# ---- evaluation ------------------------------------------------------------------------------

evaluate() { lmeval -q "$@" --backend $backend -j "$threads" 2>> logs/eval.log || { tail -n 3 logs/eval.log >&2; return 1; }; }

# needles NAME DIR KIND LENGTHS OPTIONS...: evaluate each needle in its own haystack.
needles() {
    local name=$1 dir=$2 kind=$3 lengths=$4; shift 4
    for ((i = 1; i <= needles; i++)); do
        local pair number
        IFS='|' read -r pair number < needles/$i
        local what=(--needle "the pass key is $number ." --question "" --answer "$number" --new-tokens 3
            --prompt "{context} what ? the pass key is")
        [ $kind = passkey ] || what=(--needle "remember $pair ." --question "${pair% *}" --answer "${pair#* }"
            --new-tokens 1 --prompt "{context} what ? {question}")
        evaluate needle -m "$dir" --haystack needles/$kind-$i.txt --buffer 12 "${what[@]}" \
            --lengths "$lengths" -o "results/$kind.$name.$i.jsonl" "$@"
    done
}

lengths=$c,$((2 * c)),$((4 * c)),$T,$far

# Training-free extension: evaluate each attention variant on the base model beyond c.
extend() { # SEED FORM OPTIONS...
    local seed=$1 form=$2; shift 2
    evaluate ppl -m models/base-$seed --data data/long --lengths $lengths --stride $c --windows $windows --bins 0 \
        -o results/ppl.base-$seed.$form.jsonl "$@"
    needles base-$seed.$form models/base-$seed passkey $lengths "$@"
    needles base-$seed.$form models/base-$seed pair $lengths "$@"
}

evaluate_base() { # SEED
    extend $1 rope
    extend $1 linear --rope-scaling linear:8
    extend $1 ntk --rope-scaling ntk:8
    extend $1 dynamic --rope-scaling dynamic:8
    extend $1 yarn --rope-scaling yarn:8
    extend $1 dca --attention dca
    extend $1 chunkllama --attention dca:chunkllama
    extend $1 intra+inter --attention dca --dca-parts intra+inter
    extend $1 intra --attention dca --dca-parts intra
}

evaluate_mixture() { # SEED MIXTURE
    local name=$2-$1
    needles $name models/$name passkey $lengths
    needles $name models/$name pair $lengths
    evaluate domains -m models/$name --data data/held-out.lmt --ranges $c,$T --at $T --at-width $c --documents $documents \
        -o results/domains.$name.jsonl
}

# Figure 3: the intermediate checkpoints, and the base model with the raised RoPE base as the start.
evaluate_way() { # SEED
    local dir
    needles per-source-$1.0 models/base-$1 passkey $lengths --rope-base $raised
    for dir in models/per-source-$1/checkpoint-*; do
        cp tokenizer.model $dir/
        needles per-source-$1.$((10#${dir##*-})) $dir passkey $lengths
    done
}

# ---- main ------------------------------------------------------------------------------------

[ -f data/done ] || timed data make_data
for seed in $seeds; do pretrain $seed; done
for seed in $seeds; do
    for mixture in $mixtures; do go_on $seed $mixture; done
done
for seed in $seeds; do
    timed "evaluate base-$seed" evaluate_base $seed
    for mixture in $mixtures; do timed "evaluate $mixture-$seed" evaluate_mixture $seed $mixture; done
    timed "evaluate per-source-$seed checkpoints" evaluate_way $seed
    compared=()
    for mixture in $mixtures; do compared+=(results/domains.$mixture-$seed.jsonl); done
    lmeval compare -q "${compared[@]}" -o results/compare.$seed.jsonl
done

# ---- tables and figures ----------------------------------------------------------------------

parameters=$((96 * width + layers * (4 * width * width + 3 * width * mlp + 2 * width) + width))
label="toy, $parameters parameters:"
verdict() { LC_ALL=C awk -f "$here/toy-verdict.awk" -v c=$c -v seeds="$seeds" "$@"; }
verdict results/*.jsonl > verdicts.md
verdict -v summary=1 results/passkey.*.jsonl | LC_ALL=C sort > passkey.jsonl

names=() tokens=()
for seed in $seeds; do
    names+=(--name models/base-$seed=base)
    for mixture in $mixtures; do names+=(--name models/$mixture-$seed=$mixture); done
done
for dir in models/per-source-${seeds%% *}/checkpoint-*; do
    step=$((10#${dir##*-}))
    tokens+=(--tokens "$(printf 'per-source/checkpoint-%08d=%d' $step $((step * $(numfmt --from=si $batch))))")
done
figure() { local file=$1; shift; lmplot -q "$@" -o figures/$file; }
figure ppl.png ppl results/ppl.*.jsonl "${names[@]}" --max 20 -t "$label perplexity by length"
figure domains.md domains results/domains.*.jsonl "${names[@]}" --where mode=range --baseline original
grep '"model":"base\.' passkey.jsonl | figure passkey-forms.png passkey - -t "$label pass key, base models"
grep -v '"model":"base\.\|checkpoint' passkey.jsonl | figure passkey-mixtures.png passkey - -t "$label pass key after five mixtures"
grep checkpoint passkey.jsonl | figure curve.png curve - "${tokens[@]}" --tokens per-source/checkpoint-00000000=0 \
    -t "$label pass key against continual tokens, per-source"
cat verdicts.md
