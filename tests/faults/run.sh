#!/bin/bash
# Make every call of every program fail, once and from then on, be short, or be the moment of a SIGKILL, and
# check what is left (docs/reliability.md). inject.c, preloaded, does so.
#
#   tests/faults/run.sh [BUILD [EVERY [WORD]]]
#
#   BUILD   the folder that was built (build)
#   EVERY   take each EVERY-th call only (1: all)
#   WORD    only scenarios whose name contains it
#
# A scenario is a command, its outputs, and what they are without a fault. With one:
#   exit status 0 only if the outputs are those; otherwise a message on standard error;
#   an output under its final name is either absent or whole;
#   the command, run again without a fault, exits with 0 and gives the same outputs.
set -u
cd "$(dirname "$0")/../.." || exit 1
src=$PWD build=$PWD/${1:-build} every=${2:-1} pick=${3:-}
data=$src/tests/data
export PATH="$build/bin:$PATH" LC_ALL=C OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
lib=$work/inject.so
${CC:-gcc} -std=gnu11 -O1 -shared -fPIC -o "$lib" tests/faults/inject.c -ldl || exit 1

# ---- scenarios: inputs are made once; a scenario runs in a copy of them --------------------------

mkdir "$work/in" && cd "$work/in" || exit 1
awk -f "$data/stories.awk" -v json=1 -v seed=1 -v stories=60 >in.jsonl
lmtok -q -m "$data/tokenizer.model" -o st.lmt in.jsonl || exit 1
lmhist --json st.lmt >st.json || exit 1
lmplan -q -r cut-4k --tokens 4K -L 128 -o plan.json st.lmt || exit 1
lmmix -q -o mix.lmt plan.json st.lmt || exit 1
lmpack -q -L 64 --labels -o shards mix.lmt || exit 1
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model || exit 1
head -c 3000 "$data/essays/tides.txt" >text.txt
{ echo rubbish; head -n 20 in.jsonl; } >some-bad.jsonl
echo "no document" >bad.jsonl

scenario=(
    "lmtag|out.jsonl|lmtag -q -o out.jsonl in.jsonl"
    "lmtag-zst|out.zst|lmtag -q -o out.zst in.jsonl"
    "lmtok|out.lmt|lmtok -q -j 2 -m $data/tokenizer.model -o out.lmt in.jsonl"
    "lmtok-quarantine|out.lmt lines files|lmtok -q -j 2 -m $data/tokenizer.model --bad-lines quarantine:lines --bad-files quarantine:files -o out.lmt some-bad.jsonl bad.jsonl in.jsonl"
    "lmhist|out.svg|lmhist -q --plot out.svg st.lmt"
    "lmplan|out.json|lmplan -q -r per-source --tokens 4K -L 128 --when-short shrink -o out.json st.lmt"
    "lmmix|out.lmt|lmmix -q -o out.lmt plan.json st.lmt"
    "lmpack|out|lmpack -q -L 64 -o out mix.lmt"
    "lmsynth|out|lmsynth -q --force --bytes 100K --seed 3 -o out"
    "lmimport|out|lmimport -q llama2c $data/stories66K.bin $data/tok512.bin -o out"
    "lmtrain|out/model.safetensors out/config.json|lmtrain -q --resume --data shards --init $data/tiny.json -b 256 -n 512 -j 1 -o out"
    "lmeval|out.jsonl|lmeval ppl -q --model model --text text.txt -L 64 --windows 2 -j 1 -o out.jsonl"
    "lmcheck||lmcheck -q st.lmt shards plan.json"
)
calls="write:once write:on write:short write:kill read:once read:short pread:once pread:short pwrite:once
open:once open:on close:once fsync:once fsync:kill rename:once rename:kill ftruncate:once mkdir:once mkdir:kill
unlink:once unlink:kill mmap:once malloc:once"

# The outputs' bytes without what names the time or the run.
digest() { # OUTPUTS...
    for f in "$@"; do
        [ -e "$f" ] || { echo "absent $f"; continue; }
        find "$f" -type f ! -name '*.tmp' ! -name '*.partial' ! -name '*.new' ! -name run.json ! -name log.jsonl | sort | while read -r g; do
            echo "$g $(sed -E 's/"seconds":[0-9.e-]+//' "$g" | cksum)"
        done
    done
}

tried=0 failed=0
bad() {
    failed=$((failed + 1))
    echo "FAIL  $name $call $how at $n: $1"
    [ $failed -lt 50 ] || { echo "too many failures"; exit 1; }
}
fresh() { rm -rf "$work/d"; cp -r "$work/in" "$work/d"; cd "$work/d" || exit 1; }

for s in "${scenario[@]}"; do
    IFS='|' read -r name outputs command <<<"$s"
    [[ $name == *$pick* ]] || continue
    fresh
    $command >"$work/stdout" 2>"$work/err" || { echo "FAIL  $name without a fault: $(cat "$work/err")"; exit 1; }
    want=$(digest $outputs)
    here=0
    for c in $calls; do
        call=${c%:*} how=${c#*:} n=0
        fresh
        rm -f "$work/count"
        LD_PRELOAD=$lib FAULT_CALL=$call FAULT_AT=0 FAULT_COUNT=$work/count $command >/dev/null 2>&1
        total=$(tail -n 1 "$work/count" 2>/dev/null) || total=0
        for ((n = 1; n <= ${total:-0}; n += every)); do
            fresh
            timeout 60 env LD_PRELOAD="$lib" FAULT_CALL=$call FAULT_AT=$n FAULT_HOW=$how $command >/dev/null 2>"$work/err" &
            wait $! 2>/dev/null # where bash does not report a killed program
            status=$? tried=$((tried + 1)) here=$((here + 1))
            got=$(digest $outputs)
            case $status in
                # Without memory fontconfig falls back on another font and reports nothing.
                0) [ "$got" = "$want" ] || [ $name:$call = lmhist:malloc ] ||
                       bad "exit status 0, and other outputs" ;;
                124) bad "does not end" ;;
                137) [ $how = kill ] || bad "killed" ;;
                *) [ $how != short ] || bad "fails, and the call was only short: $(cat "$work/err")"
                   # SentencePiece and the C++ library do not survive every failed allocation.
                   [ $status -lt 128 ] || [ $call = malloc ] || bad "ended by a signal ($status)"
                   [ $status -ge 128 ] || [ -s "$work/err" ] || bad "exit status $status without a message" ;;
            esac
            # What has its final name is whole (a folder may lack files, a file of lines its end).
            other=$(diff <(echo "$want") <(echo "$got") | grep '^> .' | grep -v '^> absent')
            [ -z "$other" ] || [ $name = lmeval ] || [ $name:$call = lmhist:malloc ] || bad "not whole: $other"
            [ $status = 0 ] && continue
            timeout 60 $command >/dev/null 2>"$work/err" || bad "the rerun fails: $(cat "$work/err")"
            [ "$(digest $outputs)" = "$want" ] || bad "the rerun gives other outputs"
        done
    done
    echo "ok    $name: $here faults"
done
echo "$tried faults, $failed failures"
[ $failed = 0 ] && [ $tried -gt 0 ]
