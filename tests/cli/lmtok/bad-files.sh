# Files that cannot be read to their end, or hold no document: an error that names them or, with
# --bad-files quarantine:LIST, quarantined whole, listed and counted; and they may be left out later.
. "$LM_SRC/tests/cli/lmtok/model.bash"
command -v python3 > /dev/null || { echo "skipped: python3 is absent" >&2; exit 77; }
lmsynth -q --bytes 3M --file-bytes 700K --seed 5 --format jsonl -o c
rm c/synth.json
mkdir good
mv c/train-0000[0123].jsonl good
gzip -n good/train-00002.jsonl
zstd -q --rm good/train-00003.jsonl
mkdir bad
head -c 150000 good/train-00002.jsonl.gz > bad/cut.jsonl.gz # past the first chunk
head -c 200000 good/train-00003.jsonl.zst > bad/cut.jsonl.zst
python3 - << 'P'
data = bytearray(open("good/train-00002.jsonl.gz", "rb").read())
data[len(data) * 3 // 4] ^= 255
open("bad/damaged.jsonl.gz", "wb").write(data)
P
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n' > bad/lfs.jsonl
printf '<!DOCTYPE html>\n<html><body>404</body></html>\n\n' > bad/page.jsonl
{ for i in {1..40000}; do echo "no document $i"; done; } > bad/words.jsonl # several chunks
[ "$(id -u)" = 0 ] || { cp good/train-00001.jsonl bad/locked.jsonl; chmod 000 bad/locked.jsonl; }

# Each alone between two good files.
for f in bad/*; do
    list=(good/train-00000.jsonl "$f" good/train-00001.jsonl)
    rm -f s.lmt* q* list
    lmtok -m m.model -o s.lmt "${list[@]}" 2> err && { echo "accepted: $f"; exit 1; } || [ $? = 1 ]
    grep -q "^lmtok: $f:" err || { cat err; exit 1; }
    lmtok -q -m m.model --bad-lines quarantine:q -o s.lmt "${list[@]}" 2> err && { echo "quarantined: $f"; exit 1; } || [ $? = 1 ]
    grep -q "^lmtok: $f:" err || { cat err; exit 1; }
    [ ! -e s.lmt ] && [ ! -e q ]
    rm -f s.lmt.partial q.partial
    for lines in stop quarantine:q; do
        for j in 1 2; do
            rm -f s.lmt q list
            lmtok -j $j -m m.model --bad-lines $lines --bad-files quarantine:list -o s.lmt "${list[@]}" 2> err ||
                { cat err; exit 1; }
            grep -q "files quarantined: 1; the first is $f: ." err || { cat err; exit 1; }
            ! grep -q 'lines quarantined' err
            [ ! -s q ] # its lines are not those of a file that is used
            lmcheck -q s.lmt
            python3 - "$f" << 'P'
import json, os, sys
lines = [json.loads(l) for l in open("list")]
assert len(lines) == 1 and list(lines[0]) == ["file", "byte", "reason"], lines
assert lines[0]["file"] == os.path.basename(sys.argv[1]) and 0 <= lines[0]["byte"] <= os.path.getsize(sys.argv[1])
assert lines[0]["reason"] and sys.argv[1] not in lines[0]["reason"], lines
P
            [ $j = 1 ] && mv s.lmt one.lmt || cmp s.lmt one.lmt
        done
        [ $lines = stop ] && mv one.lmt stop.lmt || cmp one.lmt stop.lmt
    done
    # The documents are those of the good files.
    lmtok -m m.model --force -o plain.lmt good/train-00000.jsonl good/train-00001.jsonl
    cmp <(lmcat --json --ids stop.lmt) <(lmcat --json --ids plain.lmt)
done

# A line that is no document ends the run, if its file has documents: before it, or after it.
{ echo rubbish; cat good/train-00000.jsonl; } > first.jsonl
{ cat good/train-00000.jsonl; echo rubbish; } > last.jsonl
for f in first last; do
    rm -f s.lmt* list
    lmtok -m m.model --bad-files quarantine:list -o s.lmt $f.jsonl 2> err && exit 1 || [ $? = 1 ]
    grep -q "^lmtok: $f.jsonl:[0-9]*: byte [0-9]*: not JSON" err
    [ ! -e list ] && [ ! -e s.lmt ]
done
cat bad/words.jsonl good/train-00000.jsonl > late.jsonl # many lines later, and resumed
rm -f s.lmt*
lmtok -m m.model --bad-files quarantine:list -o s.lmt late.jsonl 2> err && exit 1
lmtok -m m.model --bad-files quarantine:list -o s.lmt late.jsonl 2> err && exit 1
grep -q "^lmtok: late.jsonl:1: byte 0: not " err

# All together, in any state of the store: cut anywhere and resumed, and with other names of the list.
rm -f s.lmt* q list
tok() { lmtok ${v--q} -j 2 -m m.model --bad-lines quarantine:q --bad-files quarantine:list -o s.lmt "$@"; }
tok good bad first.jsonl 2> err
mv s.lmt whole.lmt && mv q q-want && mv list list-want
lmcheck -q whole.lmt
[ "$(wc -l < list-want)" = "$(ls bad | wc -l)" ]
[ "$(cat q-want)" = rubbish ]
n=$(stat -c %s whole.lmt)
for at in 1 50 70 73 75 80 95 100; do
    rm -f s.lmt q list
    head -c $((n * at / 100)) whole.lmt > s.lmt.partial
    cp q-want q.partial
    tok good bad first.jsonl || { echo "at $at%"; exit 1; }
    cmp s.lmt whole.lmt
    cmp q q-want
    cmp list list-want
done
# Killed between the list and the store: the list is this run's. Another one is not.
rm -f s.lmt && head -c $((n - 64)) whole.lmt > s.lmt.partial
tok good bad first.jsonl
cmp s.lmt whole.lmt
rm -f s.lmt && head -c $((n - 64)) whole.lmt > s.lmt.partial && cp q-want q.partial && rm q
echo '{"file":"other"}' > list
tok good bad first.jsonl 2> err && exit 1 || [ $? = 2 ]
grep -q 'list: exists already' err
rm list
tok good bad first.jsonl

# The bad files are moved away: the store continues, or is complete.
mkdir away
v= tok good bad first.jsonl 2>&1 | grep -q 'already complete'
mv bad away
v= tok good first.jsonl 2>&1 | grep -q 'already complete'
for at in 73 95; do
    rm -f s.lmt q list
    head -c $((n * at / 100)) whole.lmt > s.lmt.partial
    cp q-want q.partial
    if [ $at = 95 ]; then
        tok good first.jsonl
        cmp s.lmt whole.lmt
        cmp list list-want
    else # at that point not all of them were quarantined
        tok good first.jsonl 2> err && exit 1 || [ $? = 2 ]
        grep -q 'only quarantined files may be left out' err
    fi
done
# Only these: a good one is missed.
rm -f s.lmt q list
head -c $((n * 95 / 100)) whole.lmt > s.lmt.partial
mv good/train-00001.jsonl away
tok good first.jsonl 2> err && exit 1 || [ $? = 2 ]
grep -q 'only quarantined files may be left out' err
mv away/train-00001.jsonl good
# A quarantined file that was repaired is not the one that was quarantined.
mv away/bad .
cp good/train-00002.jsonl.gz bad/cut.jsonl.gz
tok good bad first.jsonl 2> err && exit 1 || [ $? = 1 ]
grep -q 'cut.jsonl.gz: has changed since the earlier run read it and quarantined it' err

# Parts: each has its list. A part that was begun with the bad files is finished without them.
rm -rf s.lmt* q* list* bad/locked.jsonl
mv bad/cut.jsonl.gz away # that was repaired
parts() { lmtok -q -m m.model --bad-lines quarantine:q --bad-files quarantine:list -o "$@"; }
for k in 1 2 3; do parts p --part $k/3 good bad; done
lmcheck -q p
cat list.part-0000[123]-of-00003 > list
[ "$(wc -l < list)" = "$(ls bad | wc -l)" ]
cp -r p p-want
mv bad/* away
for k in 1 2 3; do
    f=part-0000$k-of-00003
    parts p --part $k/3 good # complete
    mv list.$f list-want
    mv p/$f.lmt p/$f.lmt.partial
    parts p --part $k/3 good
    cmp list.$f list-want
done
diff -r p p-want
# ... but not one that was begun without them: it has other documents.
rm p/part-00002-of-00003.lmt ./q.* ./list.*
parts p --part 2/3 good
lmcheck -q p/part-00002-of-00003.lmt
lmcheck -q p 2> err && exit 1
grep -q 'names or sizes' err
mv away/* bad

# No input can be used: nothing is published.
rm -f s.lmt* q* list
tok bad/lfs.jsonl bad/page.jsonl 2> err && exit 1 || [ $? = 1 ]
grep -q 'no input has a document; the first that had to be quarantined: bad/lfs.jsonl: ' err
[ ! -e s.lmt ] && [ ! -e list ]
# What is written directly cannot be taken back.
lmtok -m m.model --bad-files quarantine:list good > out 2> err && exit 1 || [ $? = 2 ]
grep -q 'write a store with -o' err
# An empty file is no bad file.
: > empty.jsonl
rm -f s.lmt*
lmtok -m m.model --bad-files quarantine:list -o s.lmt empty.jsonl first.jsonl --bad-lines quarantine:q
[ ! -s list ]
