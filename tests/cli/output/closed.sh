# Descriptors 0, 1 and 2 that are closed: no message goes into an output file, what cannot be read is
# no empty input, and what cannot be written is no success.
. "$LM_SRC/tests/cli/lmtok/model.bash"
g=$LM_SRC/tests/golden/plan-v1 data=$LM_SRC/tests/data
lmsynth -q --bytes 300K --format jsonl --seed 7 -o c
rm c/synth.json
cat c/* > c.jsonl
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model
mkdir a b
bad=0

# The files are the same as with all descriptors open, also where messages are due.
commands() {
    lmtok -v -m m.model -o "$1/s.lmt" c "${@:2}"
    lmtag -v -o "$1/t.jsonl" c
    lmplan -v -r "$g/recipe.json" -L 512 -o "$1/p.json" "$g/store.lmt"
    lmmix -v -o "$1/m.lmt" "$g/plan.json" "$g/store.lmt"
    lmpack -v -L 128 -o "$1/shards" "$1/s.lmt"
    lmsynth -v --bytes 100K --seed 1 -o "$1/synth"
    lmeval ppl -v -m model --text c.jsonl --lengths 128 --windows 1 -o "$1/r.jsonl"
    lmplot -v ppl "$1/r.jsonl" -o "$1/f.svg"
    lmimport -v llama2c "$data/stories66K.bin" "$data/tok512.bin" -o "$1/model"
}
commands a > said 2>&1
commands b <&- >&- 2>&-
sed -i 's/"seconds":[0-9.e-]*//; s/"time":"[^"]*"//' a/r.jsonl b/r.jsonl
diff -r a b || bad=1
rm -r b && mkdir b
commands b >&- 2>&-
sed -i 's/"seconds":[0-9.e-]*//; s/"time":"[^"]*"//' b/r.jsonl
diff -r a b || bad=1
rm -r b && mkdir b
commands b 2>&-
sed -i 's/"seconds":[0-9.e-]*//; s/"time":"[^"]*"//' b/r.jsonl
diff -r a b || bad=1

says() { # WANT PROGRAM ARGUMENT...
    local want=$1 status=0; shift
    "$@" 2> err || status=$?
    [ $status = 1 ] && grep -q "$want" err || { echo "exit $status: $*: $(cat err)"; bad=1; }
}
in='stdin: is closed, or not open for reading' out='standard output: is closed, or not open for writing$'
says "$in" lmtag <&- > out
says "$in" lmtok -m m.model -o x.lmt <&-
says "$in" lmhist - <&- > out
says "$in" lmmix "$g/hist-plan.json" - <&- > out
says "$in" lmpack -L 128 -o x <&-
says "$in" lmcheck - <&- > out
says "$in" lmcat - <&- > out
says "$in" lmgen -m model <&- > out
[ ! -e x.lmt ]
says "$out" lmtag c >&-
says "$out" lmtok -q -m m.model c >&-
says "$out" lmhist c >&-
says "$out" lmplan -r "$g/recipe.json" -L 512 "$g/store.lmt" >&-
says "$out" lmmix "$g/plan.json" "$g/store.lmt" >&-
says "$out" lmcheck a/shards >&-
says "$out" lmcat "$g/store.lmt" >&-
says "$out" lmsynth --bytes 10K >&-
says "$out" lmgen -m model -n 2 Once >&-
says "$out" lmeval ppl -m model --text c.jsonl --lengths 128 --windows 1 >&-
for p in "$LM_BUILD"/bin/lm*; do says "$out" "$p" --help >&-; done
exit $bad
