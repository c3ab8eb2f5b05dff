#!/bin/bash
# Make every call of every program fail, once and from then on, be short, or be the moment of a SIGKILL
# or of a power failure, and check what is left (docs/reliability.md). inject.c, preloaded, does so;
# driver.c has the rules.
#
#   tests/faults/run.sh [BUILD [EVERY [WORD [CALL]]]]
#
#   BUILD   the folder that was built (build)
#   EVERY   take each EVERY-th call only (1: all)
#   WORD    only scenarios whose name contains it
#   CALL    only kinds that begin with it: malloc, rename:lose
#
# LM_FAULT_JOBS runs are made at once (all cores). exempt.txt lists what is not tried, and why.
set -u
cd "$(dirname "$0")/../.." || exit 1
src=$PWD build=${1:-build} every=${2:-1} word=${3:-} only=${4:-}
case $build in /*) ;; *) build=$PWD/$build ;; esac
data=$src/tests/data
export PATH="$build/bin:$PATH" LC_ALL=C OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=passive
work=$(mktemp -d) || exit 1
case $work in *[[:space:]]*) rmdir "$work"; work=$(TMPDIR=/tmp mktemp -d) || exit 1 ;; esac
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cc=${CC:-gcc}
$cc -std=gnu11 -O1 -shared -fPIC -o "$work/inject.so" tests/faults/inject.c -ldl || exit 1
$cc -std=gnu11 -O1 -o "$work/driver" tests/faults/driver.c || exit 1

# ---- inputs, made once; each run gets a copy of them ---------------------------------------------

mkdir "$work/in" && cd "$work/in" || exit 1
model=$data/tokenizer.model
set -e
awk -f "$data/stories.awk" -v json=1 -v seed=1 -v stories=40 >in.jsonl
awk -f "$data/stories.awk" -v json=1 -v seed=2 -v stories=20 >more.jsonl
{ head -n 5 in.jsonl; echo '{"text": 1}'; tail -n 5 in.jsonl; echo 'no JSON'; } >bad.jsonl
echo 'no document' >none.jsonl
lmtok -q -m "$model" -o st.lmt in.jsonl
lmhist --json st.lmt >st.json
lmplan -q -r "$src/recipes/cut-4k.json" --tokens 2K -L 128 --shards 2 -o plan.json st.lmt
lmmix -q -o mix.lmt plan.json st.lmt
lmpack -q -L 64 --labels -o shards mix.lmt
lmtok -q -m "$model" --part 1/2 -o half in.jsonl more.jsonl
lmpack -q -L 64 --part 1/2 -o first mix.lmt
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model
cp "$src/tests/fuzz/corpus/fuzz_gguf/byte-level" model.gguf
head -c 1000 "$data/essays/tides.txt" >text.txt
lmeval ppl -q --model model --text text.txt -L 64 --windows 2 -j 1 -o ppl.jsonl
# One byte is wrong.
flip() { { head -c "$2" "$1"; printf '\377'; tail -c +$(($2 + 2)) "$1"; } >flipped; mv flipped "$3"; }
flip st.lmt 2000 damaged.lmt
cp -r shards damaged
flip shards/shard-00000.lms 3000 damaged/shard-00000.lms
set +e

# NAME|OUTPUTS|COMPLETE|COMMAND
cat >"$work/scenarios" <<END
lmtag|out.jsonl||lmtag -q -j 2 -o out.jsonl in.jsonl
lmtag-zst|out.zst||lmtag -q -o out.zst in.jsonl
lmtag-stdout|stdout||lmtag -q -j 1 <in.jsonl >stdout
lmtok|out.lmt||lmtok -q -j 2 -m $model -o out.lmt in.jsonl
lmtok-part|half||lmtok -q -j 1 -m $model --part 2/2 -o half in.jsonl more.jsonl
lmtok-quarantine|out.lmt aside files||lmtok -q -j 2 -m $model --bad-lines quarantine:aside --bad-files quarantine:files -o out.lmt bad.jsonl none.jsonl in.jsonl
lmhist|out.svg stdout||lmhist -q --plot out.svg st.lmt >stdout
lmhist-json|stdout||lmhist -q --json st.lmt shards >stdout
lmplan|out.json||lmplan -q -r $src/recipes/per-source.json --tokens 2K -L 128 --when-short shrink -o out.json st.lmt
lmmix|out.lmt||lmmix -q -o out.lmt plan.json st.lmt
lmpack|out|out/manifest.json|lmpack -q -L 64 -j 2 -o out mix.lmt
lmpack-part|first|first/manifest.json|lmpack -q -L 64 --part 2/2 -o first mix.lmt
lmplot|out.svg||lmplot -q ppl ppl.jsonl -o out.svg
lmplot-png|out.png||lmplot -q histogram st.json -o out.png
lmplot-table|out.md||lmplot -q ppl ppl.jsonl -o out.md
lmsynth|out|out/synth.json|lmsynth -q --force --bytes 100K --seed 3 -o out
lmcat|stdout||lmcat --json st.lmt >stdout
lmcat-shards|stdout||lmcat --json shards >stdout
lmcheck|stdout||lmcheck -q -j 2 st.lmt shards plan.json >stdout
lmcheck-store|||! lmcheck -q damaged.lmt
lmcheck-shards|||! lmcheck -q -j 1 damaged
lmimport|out|out/config.json|lmimport -q llama2c $data/stories66K.bin $data/tok512.bin -o out
lmimport-gguf|out|out/config.json|lmimport -q gguf model.gguf -o out
lmtrain|out/model.safetensors out/config.json|out/config.json|lmtrain -q --resume --data shards --init $data/tiny.json -b 256 -n 512 -j 1 -o out
lmgen|stdout||lmgen -q -m model -n 4 -j 1 --file text.txt >stdout
lmeval|results.jsonl||lmeval ppl -q --model model --text text.txt -L 64 --windows 2 -j 1 -o results.jsonl
lmeval-stdout|stdout||lmeval ppl -q --model model --text text.txt -L 64 --windows 1 -j 1 >stdout
END

all="write:once write:on write:short write:kill read:once read:on read:short pread:once pread:on pread:short
pwrite:once pwrite:kill open:once open:on open:kill close:once fsync:once fsync:on fsync:kill rename:once rename:on rename:kill
ftruncate:once ftruncate:kill mkdir:once mkdir:kill unlink:once unlink:kill flock:once flock:on mmap:once mmap:on
thread:once thread:on stdout:full malloc:once malloc:on"
for call in write fsync rename unlink mkdir close exit; do
    for how in data zero all some; do all+=" $call:lose-$how"; done
done
kinds=
for k in $all; do [[ $k != "$only"* ]] || kinds+="$k "; done

"$work/driver" "$work" "$work/inject.so" "$work/scenarios" "$kinds" "$src/tests/faults/exempt.txt" \
    "${LM_FAULT_JOBS:-$(nproc)}" "$every" ${word:+"$word"}
