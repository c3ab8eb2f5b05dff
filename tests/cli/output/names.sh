# Names with escape sequences, newlines and bytes that are not UTF-8 never reach a terminal as they
# are: not in messages, and not in what is printed for a person. A message stays one line.
. "$LM_SRC/tests/cli/lmtok/model.bash"
g=$LM_SRC/tests/golden/plan-v1 data=$LM_SRC/tests/data
odd=$'a\e]0;x\a\n\xc2\x9b31m\xe2\x80\xae' bytes=$'b\xff\xe6\x97'
bad=0
lmsynth -q --bytes 100K --format jsonl --seed 7 -o c
rm c/synth.json
mkdir "$odd"
mv c "$odd/c"
cp "$g/store.lmt" "$odd/s.lmt"
cp -r "$LM_SRC/tests/golden/shard-v1/concat" "$odd/shards"
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o "$odd/model"

clean() { # FILE WHAT
    if LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]' "$1" ||
        ! iconv -f UTF-8 -t UTF-8 "$1" > /dev/null 2>&1; then
        echo "not escaped: $2"; head -n 3 "$1" | od -c | head; bad=1
    fi
}
quiet() { # PROGRAM ARGUMENT...: both streams
    "$@" > out 2> err < /dev/null || { echo "exit $?: $*: $(cat err)"; bad=1; }
    clean out "$*"
    clean err "$*"
}
fails() { # PROGRAM ARGUMENT...: one line
    local status=0
    "$@" > out 2> err < /dev/null || status=$?
    case $status in 1 | 2 | 3) ;; *) echo "exit $status: $*"; bad=1 ;; esac
    [ "$(wc -l < err)" = 1 ] || { echo "not one line: $*"; cat err; bad=1; }
    clean out "$*"
    clean err "$*"
}
quiet lmtok -v -m m.model -o "$odd/x.lmt" "$odd/c"
quiet lmhist "$odd/c"
quiet lmhist "$odd/c" "$odd/shards" "$odd/s.lmt"
quiet lmcheck -v "$odd/s.lmt" "$odd/shards"
quiet lmcat --head 3 "$odd/s.lmt"
quiet lmcat "$odd/shards"
quiet lmpack -v -L 128 -o "$odd/packed" "$odd/s.lmt"
quiet lmgen -v -m "$odd/model" -n 3 Once
for name in "$odd" "$bytes"; do
    fails lmtag "$name.none"
    fails lmtag --nonsense="$name"
    fails lmtag "--$name"
    fails lmtok -m "$name" c
    fails lmtok -m m.model "$name.none"
    fails lmhist "$name.none"
    fails lmplan -r "$name" "$g/store.lmt"
    fails lmplan -r cut-4k --tokens "$name" "$g/store.lmt"
    fails lmmix "$name.none" "$g/store.lmt"
    fails lmpack -L 128 -o x "$name.none"
    fails lmcheck "$name.none"
    fails lmcat "$name.none"
    fails lmsynth --laws "$name.none" --bytes 1K
    fails lmtrain --init "$name.none" --data "$odd/shards" -o t -n 1K
    fails lmgen -m "$name.none" Once
    fails lmeval "$name"
    fails lmeval ppl -m "$name.none" --text m.model
    fails lmimport llama2c "$name.none" "$name.none" -o t
    fails lmplot "$name" x -o y.svg
    fails lmplot ppl "$name.none" -o y.svg
done
# A file and a domain of such a name inside a store.
printf '{"text":"one two","domain":"x"}\n' > "$odd/c/$odd.jsonl"
lmtok -q -m m.model -o inside.lmt "$odd/c"
quiet lmcat inside.lmt
exit $bad
