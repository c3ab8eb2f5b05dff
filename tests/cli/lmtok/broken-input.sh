# Inputs that cannot be read completely: named, exit status 1 or 2, no store.
. "$LM_SRC/tests/cli/lmtok/model.bash"
lmsynth -q --bytes 1M --seed 6 -o c
mv c/train-00000.jsonl.zst a.jsonl.zst
fails() { # exit status, pattern, arguments
    lmtok -o out.lmt "${@:3}" > /dev/null 2> err && { echo "accepted: ${*:3}"; exit 1; } || [ $? = "$1" ]
    grep -q "$2" err || { echo "${*:3}"; cat err; exit 1; }
    [ ! -e out.lmt ]
    rm -f out.lmt.partial
}
for n in 1 100 200000; do
    head -c $n a.jsonl.zst > cut.jsonl.zst
    fails 1 'cut.jsonl.zst: truncated' -m m.model cut.jsonl.zst
    fails 1 'cut.jsonl.zst: truncated' -m m.model a.jsonl.zst cut.jsonl.zst a.jsonl.zst
done
zstd -dqc a.jsonl.zst | gzip > a.jsonl.gz
head -c 1000 a.jsonl.gz > cut.jsonl.gz
fails 1 'cut.jsonl.gz: truncated' -m m.model cut.jsonl.gz
fails 1 'absent.jsonl' -m m.model absent.jsonl
ln -s nowhere dangling.jsonl
fails 1 'dangling.jsonl' -m m.model dangling.jsonl
mkdir none
fails 2 'none' -m m.model none
mkdir -p hidden.jsonl # a folder where a file should be
fails 2 'hidden.jsonl' -m m.model hidden.jsonl
# Wrong models, wrong tables, wrong command lines.
fails 1 'absent.model' -m absent.model a.jsonl.zst
fails 1 'a.jsonl.zst' -m a.jsonl.zst a.jsonl.zst
: > empty.model
fails 1 'empty.model' -m empty.model a.jsonl.zst
head -c 4000 m.model > cut.model
fails 1 'cut.model' -m cut.model a.jsonl.zst
echo '{}' > bad.json
fails 1 'bad.json' -m m.model -d bad.json a.jsonl.zst
fails 2 'MODEL is needed' a.jsonl.zst
fails 2 'skip' -m m.model --bad-lines skip a.jsonl.zst
fails 2 '4/3' -m m.model --part 4/3 a.jsonl.zst
# An empty input gives a valid store, as does a file of blank lines.
: > empty.jsonl
printf '\n \n\t\r\n' > blank.jsonl
lmtok -m m.model -o empty.lmt empty.jsonl blank.jsonl
lmtok -m m.model < /dev/null > stdin.lmt
lmcheck empty.lmt stdin.lmt
# Compressed inputs are read ahead: of several errors, the first in the order of the input is reported.
lmsynth -q --bytes 8M --file-bytes 8M --seed 3 --format jsonl -o many
head -n 300 many/train-00000.jsonl > two.jsonl
echo 'not JSON' >> two.jsonl
tail -n +301 many/train-00000.jsonl >> two.jsonl
zstd -qc two.jsonl > whole.zst
head -c $(($(stat -c %s whole.zst) * 2 / 3)) whole.zst > two.jsonl.zst
for j in 1 2 5; do
    rm -f two.lmt*
    fails 1 'two.jsonl.zst:301: byte' -j $j -m m.model -o two.lmt two.jsonl.zst a.jsonl.zst
done
