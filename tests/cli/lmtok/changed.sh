# A resumed run, and one whose store is complete, compares what the earlier run read with what is there
# now: inputs that were changed, shortened, reordered or replaced are refused by name.
. "$LM_SRC/tests/cli/lmtok/model.bash"
lmsynth -q --bytes 6M --file-bytes 2M --seed 8 --format jsonl -o c
rm c/synth.json
mv c/train-00000.jsonl a.jsonl
gzip -nc c/train-00001.jsonl > b.jsonl.gz
mv c/train-00002.jsonl d.jsonl
rm -r c
lmtok -m m.model -o want.lmt a.jsonl b.jsonl.gz d.jsonl
mkdir kept
cp a.jsonl b.jsonl.gz d.jsonl kept
n=$(stat -c %s want.lmt)
begin() { # an unfinished store, broken off in the third file
    cp kept/* .
    rm -f s.lmt
    head -c $((n * 97 / 100)) want.lmt > s.lmt.partial
}
tok() { lmtok -m m.model -o s.lmt "$@" a.jsonl b.jsonl.gz d.jsonl; }
refused() { # PATTERN ARGUMENT...
    "${@:2}" 2> err > out && { echo "accepted: $*"; exit 1; }
    grep -q "$1" err || { echo "$*: no $1 in"; cat err; exit 1; }
}
swap() { # FILE OFFSET: exchange a letter, the size stays
    python3 - "$1" "$2" << 'P'
import sys
with open(sys.argv[1], "r+b") as f:
    data = f.read()
    i = int(sys.argv[2])
    while not (chr(data[i]).islower() and chr(data[i - 1]).islower()): i += 1
    f.seek(i)
    f.write(b"q" if data[i] != ord("q") else b"k")
P
}

# ---- an unfinished store -----------------------------------------------------------------------
begin
tok # unchanged
cmp s.lmt want.lmt
begin
swap a.jsonl 1000000
refused '^lmtok: a.jsonl: has changed since the earlier run read it: its contents differ; restore it, or' tok
refused 'a.jsonl: has changed' tok -j 1 # and again: nothing was published or lost
cp kept/a.jsonl .
tok
cmp s.lmt want.lmt
begin
head -c 900000 kept/a.jsonl > a.jsonl
refused 'a.jsonl: has changed .*: it had [0-9]* bytes, now 900000;' tok
begin
gzip -1 -nc d.jsonl > b.jsonl.gz
refused 'b.jsonl.gz: has changed' tok
begin
mv a.jsonl x && cp x y && swap y 5 && mv y a.jsonl
refused 'a.jsonl: has changed' tok
begin
rm a.jsonl
touch -d 2001-01-01 d.jsonl # times do not matter here
refused 'a.jsonl' tok
# The third file, before the point to which it was read, and shortened.
begin
swap d.jsonl 2000
refused '^lmtok: d.jsonl: has changed since the earlier run read [0-9]* lines of it: .*--force' tok
begin
shuf --random-source=kept/a.jsonl kept/d.jsonl > d.jsonl
refused 'd.jsonl: has changed' tok -j 2
begin
head -n 20 kept/d.jsonl > d.jsonl
refused 'd.jsonl: has changed .*shorter' tok
begin
: > d.jsonl
refused 'd.jsonl: has changed .*shorter' tok
# ... and behind it: that was not read.
begin
sed -i '$d' d.jsonl
tok
lmtok -m m.model -o fresh.lmt a.jsonl b.jsonl.gz d.jsonl
cmp s.lmt fresh.lmt
begin
refused 'its "files" differs: input 1 was a.jsonl, now it is b.jsonl.gz' lmtok -m m.model -o s.lmt b.jsonl.gz a.jsonl d.jsonl
refused 'its "files" differs: input 2 was b.jsonl.gz, now it is d.jsonl' lmtok -m m.model -o s.lmt a.jsonl d.jsonl
refused 'its "files" differs: input 4 was absent, now it is a.jsonl' lmtok -m m.model -o s.lmt a.jsonl b.jsonl.gz d.jsonl a.jsonl
swap a.jsonl 1000000
lmtok --force -m m.model -o s.lmt a.jsonl b.jsonl.gz d.jsonl
lmtok -m m.model -o fresh2.lmt a.jsonl b.jsonl.gz d.jsonl
cmp s.lmt fresh2.lmt

# ---- standard input ----------------------------------------------------------------------------
cp kept/* .
lmtok -m m.model -o in.lmt < a.jsonl
cp in.lmt want-in.lmt
lmtok -m m.model -o in.lmt < a.jsonl 2>&1 | grep -q 'already complete'
refused 'stdin: has changed' lmtok -m m.model -o in.lmt < d.jsonl
refused 'stdin: has changed' lmtok -m m.model -o in.lmt < /dev/null
for part in 60 95; do
    head -c $(($(stat -c %s want-in.lmt) * part / 100)) want-in.lmt > s.lmt.partial
    rm -f s.lmt
    refused 'stdin: has changed' lmtok -m m.model -o s.lmt < d.jsonl
    cat a.jsonl | lmtok -m m.model -o s.lmt
    cmp s.lmt want-in.lmt
done
# A file after it was in progress: all of standard input is compared.
lmtok -m m.model -o two.lmt - d.jsonl < a.jsonl
head -c $(($(stat -c %s two.lmt) * 95 / 100)) two.lmt > s.lmt.partial
rm s.lmt
refused 'stdin: has changed' lmtok -m m.model -o s.lmt - d.jsonl < <(head -n 50 a.jsonl)
lmtok -m m.model -o s.lmt - d.jsonl < a.jsonl
cmp s.lmt two.lmt

# ---- a complete store --------------------------------------------------------------------------
cp want.lmt s.lmt
tok 2>&1 | grep -q 's.lmt: already complete'
touch a.jsonl
tok 2>&1 | grep -q 's.lmt: already complete'
swap a.jsonl 1000000
refused 'a.jsonl: has changed .*: its contents differ' tok
touch -d 2001-01-01 a.jsonl # the time of the last change of its inode remains
refused 'a.jsonl: has changed' tok
cp kept/a.jsonl .
echo >> d.jsonl
refused 'd.jsonl: has changed .*bytes' tok
cp kept/d.jsonl .
tok 2>&1 | grep -q 's.lmt: already complete'
cmp s.lmt want.lmt
