# On a terminal, help and tables keep to its width, and the progress line does not mix with them;
# elsewhere they are 80 columns wide. Names that do not exist come with the nearest one, and
# --version has the formats that are written.
command -v script > /dev/null || { echo "script is absent"; exit 77; }
. "$LM_SRC/tests/cli/lmtok/model.bash"
g=$LM_SRC/tests/golden/plan-v1
export TERM=dumb
lmsynth -q --bytes 1M --seed 1 --format jsonl -o c
lmtok -q -m m.model -o s.lmt c
bad=0

width() { # FILE: its longest line, in characters
    sed 's/\r//g' "$1" | LC_ALL=C.UTF-8 wc -L
}
fits() { # COLUMNS COMMAND
    script -qec "stty cols $1; unset COLUMNS; $2" /dev/null < /dev/null > own 2>&1
    script -qec "COLUMNS=$1 $2" /dev/null < /dev/null > set 2>&1
    for f in own set; do
        # Usage, headings of options, commands and summaries are as long as they are.
        grep -v '^usage\|^  *-\|^lm\|documents, \|tokens from ' $f > rest
        [ "$(width rest)" -le "$1" ] || { echo "$2: $(width rest) columns of $1 ($f)"; bad=1; }
    done
}
for n in 60 72 80 100; do
    fits $n "lmtag --help"
    fits $n "lmeval --help"
    fits $n "lmplan --table -r $g/recipe.json -L 512 $g/store.lmt"
    fits $n "lmhist s.lmt"
    fits $n "lmhist c s.lmt"
done
fits 200 'lmtag --help'
lmtag --help > help
COLUMNS=40 lmtag --help | cmp - help # no terminal
[ "$(width help)" -le 80 ]

# The progress line is cut, and gone before anything else is printed.
script -qec 'COLUMNS=20 lmhist c' /dev/null < /dev/null > shown 2>&1
tr '\r' '\n' < shown | sed -n 's/^\x1b\[K\([0-9].*\)/\1/p' > line
[ -s line ] && [ "$(width line)" -le 19 ] || { echo "progress: $(cat line)"; bad=1; }
grep -q $'\r\x1b\\[Kc: ' shown || { echo "not cleared"; head -n 2 shown; bad=1; }

says() { # WANT PROGRAM ARGUMENT...
    local want=$1; shift
    "$@" 2> err && bad=1
    grep -qF -- "$want" err || { echo "$*: $(cat err)"; bad=1; }
}
says 'did you mean --backend?' lmgen --bakend cpu
says 'did you mean cuda?' lmgen --backend cda
says 'did you mean needle?' lmeval neddle
says 'did you mean ppl?' lmplot pl x -o y.svg
says "mscale 0.2: not one of model|none|0.05|0.1 (" lmgen --mscale 0.2

version() { od -An -tu4 -j "$2" -N 4 "$1" | tr -d ' '; }
lmplan -q -r "$g/recipe.json" -L 512 -o p.json s.lmt
lmmix -q p.json s.lmt | lmpack -q -L 512 -o shards
lmtag --version > said
want="formats: store $(version s.lmt 8), shard $(version shards/shard-00000.lms 8)"
want="$want, plan $(sed -n 's/.*"format": *"longmix plan \([0-9]*\)".*/\1/p' p.json)"
want="$want, manifest $(sed -n 's/.*"format": *"longmix manifest \([0-9]*\)".*/\1/p' shards/manifest.json)"
grep -qxF "$want" said || { echo "$want"; cat said; bad=1; }
exit $bad
