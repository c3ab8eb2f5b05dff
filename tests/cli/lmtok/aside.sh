# The quarantine of lines never replaces a file that the run did not write, and is complete after any
# kill and any loss of unsynced data.
. "$LM_SRC/tests/cli/lmtok/model.bash"
good='{"text": "a good line", "domain": "C4"}'
for i in {1..300}; do echo "$good"; [ $((i % 40)) != 7 ] || echo "bad line $i"; done > in.jsonl
grep bad in.jsonl > want
cp in.jsonl in-kept
refused() { # PATTERN ARGUMENT...
    lmtok -m m.model -o s.lmt "${@:2}" in.jsonl 2> err && { echo "accepted: $*"; exit 1; } || [ $? = 2 ] || { cat err; exit 1; }
    grep -q "$1" err || { echo "$*: no $1 in"; cat err; exit 1; }
    cmp in.jsonl in-kept
    [ ! -e s.lmt ] && [ ! -e s.lmt.partial ]
}
# Files that are there.
echo notes > notes
ln -s notes notes-link
refused 'notes: exists already, and this run did not write it' --bad-lines quarantine:notes
refused 'notes-link: exists already' --bad-lines quarantine:notes-link
cp notes mine.partial
refused 'mine.partial: exists already' --bad-lines quarantine:mine
[ "$(cat notes mine.partial)" = $'notes\nnotes' ]
# Inputs, under any name; the model, the table, the store.
ln -s in.jsonl link
ln in.jsonl hard
mkdir sub && ln -s ../in.jsonl sub/deep
echo '{"domains": [{"name": "C4"}], "unknown": "keep"}' > table.json
cp m.model model-kept
for f in in.jsonl ./in.jsonl "$PWD/in.jsonl" link hard sub/deep m.model table.json; do
    for force in '' --force; do
        refused 'is an input, too' $force -d table.json --bad-lines "quarantine:$f"
        refused 'is an input, too' $force -d table.json --bad-files "quarantine:$f"
        refused 'is an input, too' $force -d table.json -o "$f"
    done
done
refused 'is to be two outputs' --bad-lines quarantine:s.lmt
refused 'is to be two outputs' --bad-lines quarantine:x --bad-files quarantine:x
cmp m.model model-kept
lmtok -m m.model --force --bad-lines quarantine:in.jsonl -o s.lmt < in.jsonl 2> err && exit 1 || [ $? = 2 ]
cp in.jsonl q.partial # an input with the temporary name
lmtok -m m.model --force --bad-lines quarantine:q -o s.lmt q.partial 2> err && exit 1 || [ $? = 2 ]
cmp in.jsonl q.partial
rm q.partial
[ -z "$(find . -name 's.lmt*')" ] || { find . -name 's.lmt*'; exit 1; }

# With --force, over what is there.
lmtok -q -m m.model --force --bad-lines quarantine:notes-link -o s.lmt in.jsonl
cmp notes want
[ -L notes-link ]
mv s.lmt whole.lmt
# An empty file may be there: mktemp makes one.
rm -f notes && : > q
lmtok -q -m m.model --bad-lines quarantine:q -o s.lmt in.jsonl
cmp q want
cmp s.lmt whole.lmt
# The store is complete: the quarantine is neither read nor written.
echo changed > q
lmtok -m m.model --bad-lines quarantine:q -o s.lmt in.jsonl 2>&1 | grep -q 'already complete'
[ "$(cat q)" = changed ]
# A second store does not take over the lines of the first.
rm s.lmt
refused 'q: exists already' --bad-lines quarantine:q
# A device, and a pipe.
lmtok -q -m m.model --bad-lines quarantine:/dev/null -o s.lmt in.jsonl
cmp s.lmt whole.lmt
lmtok -q -m m.model --bad-lines quarantine:/dev/stdout -o s.lmt --force in.jsonl | cmp - want

# ---- interruptions: larger input, several chunks ------------------------------------------------------
for i in {1..30000}; do echo "$good"; [ $((i % 4000)) != 7 ] || echo "bad line $i"; done > x.jsonl
for i in {1..9000}; do echo "$good"; [ $((i % 1000)) != 7 ] || echo "bad line 2 $i"; done > y.jsonl
tok() { lmtok -q -j "${j:-2}" -m m.model --bad-lines quarantine:bad -o t.lmt x.jsonl y.jsonl; }
tok
mv t.lmt whole.lmt
mv bad want
same() { cmp t.lmt whole.lmt && cmp bad want && [ ! -e bad.partial ] && [ ! -e t.lmt.partial ]; }
n=$(stat -c %s whole.lmt) b=$(stat -c %s want)
# Unsynced data is lost at each end, independently: the store and the lines are cut anywhere.
for at in 3 50 80 100; do
    for kept in 0 1 $((b / 3)) $((b / 2)) $((b - 1)) $b zeros more; do
        rm -f t.lmt bad
        head -c $((n * at / 100)) whole.lmt > t.lmt.partial
        case $kept in
            zeros) { head -c $((b / 2)) want; head -c $((b - b / 2)) /dev/zero; } > bad.partial ;;
            more) { cat want; echo torn; } > bad.partial ;;
            *) head -c "$kept" want > bad.partial ;;
        esac
        j=$((1 + at % 2)) tok || { echo "$at% of the store, $kept bytes of the lines"; exit 1; }
        same || { echo "$at% of the store, $kept bytes of the lines"; exit 1; }
    done
done
# Killed after the lines were renamed into place, before the store was.
cut_end() { rm -f t.lmt bad.partial; head -c $((n - 64)) whole.lmt > t.lmt.partial; cp want bad; }
cut_end
tok
same
# ... but that name has other lines, or more than these: they are not ours.
cut_end
sed -i 's/bad line 7/mad line 7/' bad
cp bad other
tok 2> err && exit 1 || [ $? = 2 ]
grep -q 'bad: exists already' err
cmp bad other
rm bad # and when they are moved away, all is written again
tok
same

# ---- two at once -------------------------------------------------------------------------------------
mkfifo feed
lmtok -q -m m.model --bad-lines quarantine:both -o one.lmt feed & pid=$!
exec 3> feed
while [ ! -e both.partial ]; do sleep 0.02; done
lmtok -q -m m.model --bad-lines quarantine:both -o two.lmt in.jsonl 2> err && exit 1 || [ $? = 2 ]
grep -q 'both.*another process is writing it' err
lmtok -q -m m.model --bad-lines quarantine:third -o one.lmt in.jsonl 2> err && exit 1 || [ $? = 2 ]
[ ! -e third.partial ] # the store comes first
cat in.jsonl >&3
exec 3>&-
wait $pid
grep bad in.jsonl | cmp - both
lmcheck -q one.lmt
