# -o to a FIFO or a device writes through it: neither is ever replaced by a regular file.
. "$LM_SRC/tests/cli/lmtok/model.bash"
g=$LM_SRC/tests/golden/plan-v1
lmsynth -q --bytes 1M --file-bytes 1M --seed 7 -o c
mkdir made
devices=
if mknod null c 1 3 2> err && { : > null; } 2> err; then devices=1; else echo "no device could be made" >&2; fi

check() { # NAME FILE PROGRAM ARGUMENT...; FILE is what -o writes
    local name=$1 file=$2 target; shift 2
    "$@" -o "$file" > note 2> err || { echo "$name"; cat note err; exit 1; }
    mv "$file" want
    mkfifo "$file"
    cat "$file" > got & local reader=$!
    "$@" -o "$file" > note 2> err || { echo "$name to a FIFO"; cat note err; exit 1; }
    wait $reader
    [ -p "$file" ] || { echo "$name replaced the FIFO"; exit 1; }
    cmp want got
    rm "$file"
    for target in ${devices:+null link}; do
        [ $target = null ] || ln -sf null link
        "$@" -o $target > note 2> err || { echo "$name to $target"; cat note err; exit 1; }
        [ -c null ] || { echo "$name replaced the device"; exit 1; }
    done
    [ "$(find . -name '*.tmp' -o -name '*.partial')" = "" ] || { echo "$name left a file"; exit 1; }
}
check lmtok s.lmt lmtok -q -m m.model c
check lmtag t.jsonl lmtag c
check lmplan p.json lmplan -r "$g/recipe.json" -L 512 "$g/store.lmt"
check lmmix m.lmt lmmix -q "$g/plan.json" "$g/store.lmt"

# lmsynth writes files into a folder.
lmsynth -q --bytes 100K --seed 1 -o made
mv made/train-00000.jsonl.zst want
mkfifo made/train-00000.jsonl.zst
cat made/train-00000.jsonl.zst > got & reader=$!
lmsynth -q --bytes 100K --seed 1 --force -o made
wait $reader
[ -p made/train-00000.jsonl.zst ]
cmp want got

# Standard output by name is appended to, not replaced.
echo before > out
lmtag -o /dev/stdout c >> out
{ echo before; lmtag c; } | cmp - out

# A symbolic link is kept; the file it points to is replaced.
mkdir far
echo old > far/t.jsonl
ln -s far/t.jsonl link.jsonl
chmod 640 far/t.jsonl
lmtag -o link.jsonl c
[ -L link.jsonl ] && [ "$(stat -c %a far/t.jsonl)" = 640 ]
lmtag c | cmp - far/t.jsonl

# A second writer of a file is refused at once; the first one is unaffected.
mkfifo feed
echo notes > one.jsonl.tmp
lmtag -o one.jsonl feed 2> one.err & pid=$!
exec 3> feed
while [ ! -e one.jsonl.longmix.tmp ]; do sleep 0.02; done
lmtag -o one.jsonl c 2> err && exit 1 || [ $? = 2 ]
grep -q "^lmtag: one.jsonl: another process is writing it (PID $pid)$" err
[ ! -e one.jsonl ]
echo '{"text":"a","domain":"C4"}' >&3
exec 3>&-
wait $pid
echo '{"text":"a","domain":"C4"}' | cmp - one.jsonl
[ "$(cat one.jsonl.tmp)" = notes ] # another program's file

# A killed writer does not block the next one.
lmtag -o dead.jsonl feed & pid=$!
exec 3> feed
while [ ! -e dead.jsonl.longmix.tmp ]; do sleep 0.02; done
kill -9 $pid
wait $pid || true
exec 3>&-
[ -e dead.jsonl.longmix.tmp ]
lmtag -o dead.jsonl c
[ ! -e dead.jsonl.longmix.tmp ]
lmtag c | cmp - dead.jsonl
