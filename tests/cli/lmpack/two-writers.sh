# One writer for each directory and part: the second one is refused at once and says which process
# has it. What a killed process left blocks nothing.
g=$LM_SRC/tests/golden/plan-v1
mix() { lmmix -q "$g/plan.json" "$g/store.lmt" "$@"; }
mix > mix.lmt
mix --part 1/2 > part-1.lmt
mix --part 2/2 > part-2.lmt
lmplan -q -r cut-4k --tokens 20K --when-short shrink -L 64 --shards 6 -o other.json "$g/store.lmt"
lmmix -q other.json "$g/store.lmt" > other.lmt
lmpack -q -L 64 -o whole mix.lmt
lmpack -q -L 64 -o others other.lmt
mkfifo feed

begin() { # BYTES FILE ARGUMENT...: lmpack reads the first bytes of a file and waits; sets pid
    local bytes=$1 file=$2; shift 2
    lmpack -q -L 64 "$@" feed 2> first.err & pid=$!
    exec 3> feed
    head -c $bytes $file >&3
    while ! compgen -G 'd/*.longmix.tmp' > /dev/null; do sleep 0.02; done
    while [ -e d/prepare.longmix.tmp ]; do sleep 0.02; done
    rest="tail -c +$((bytes + 1)) $file"
}
finish() { # feed the rest; it succeeds
    $rest >&3
    exec 3>&-
    wait $pid || { cat first.err; exit 1; }
}
refused() { # WORDS ARGUMENT...
    local words=$1 status=0; shift
    timeout 20 lmpack -q -L 64 "$@" 2> err || status=$?
    [ $status = 2 ] && grep -qF -- "$words" err || { echo "lmpack $*: exit $status, not: $words"; cat err; exit 1; }
}

# A part: neither it nor the whole may be started again; another part may.
begin 20000 part-1.lmt --part 1/2 -o d
refused "d, part 1/2: another process is writing it (PID $pid)" --part 1/2 -o d part-1.lmt
refused "d: another process is writing it (PID $pid)" -o d mix.lmt
refused "d: another process is writing it (PID $pid)" -o d --force mix.lmt
refused "d: another process is packing another mixture into it (PID $pid)" --part 1/2 -o d other.lmt
refused "d: another process is packing another mixture into it (PID $pid)" --part 2/2 -o d --force other.lmt
lmpack -q -L 64 --part 2/2 -o d part-2.lmt
[ ! -e d/manifest.json ]
finish
diff -r whole d

# A whole run.
rm -r d
begin 20000 mix.lmt -o d
refused "d: another process is writing it (PID $pid)" -o d mix.lmt
refused "d: another process is writing it (PID $pid)" --part 2/2 -o d part-2.lmt
refused "d: another process is writing it (PID $pid)" -o d --force other.lmt
finish
diff -r whole d

# Killed: the next one continues, whole or in parts, and removes what was left.
for how in whole parts; do
    rm -r d
    begin 30000 mix.lmt -o d
    kill -9 $pid
    wait $pid || true
    exec 3>&-
    compgen -G 'd/*.longmix.tmp' > /dev/null
    if [ $how = whole ]; then lmpack -q -L 64 -o d mix.lmt; else
        lmpack -q -L 64 --part 2/2 -o d mix.lmt
        lmpack -q -L 64 --part 1/2 -o d mix.lmt
    fi
    diff -r whole d
done

# Files of another mixture are removed only while nobody else writes.
rm -r d
begin 20000 part-1.lmt --part 1/2 -o d
cp others/shard-00005.lms d
refused "d: holds files of another mixture, which are not removed while another process writes to it" \
    --part 2/2 -o d --force part-2.lmt
cmp others/shard-00005.lms d/shard-00005.lms
rm d/shard-00005.lms
finish

# All parts at once, over another mixture with --force: one removes it, and the manifest is right
# whichever finish last.
for i in 1 2 3 4 5 6; do
    rm -r d
    cp -r others d
    pids=
    for k in 1 2 3; do lmpack -q -L 64 --part $k/3 -o d --force mix.lmt & pids="$pids $!"; done
    for p in $pids; do wait $p; done
    diff -r whole d
done

# Left-over locks of two dead parts, and a link or a FIFO in place of one.
rm -r d && mkdir d
echo 0123456789abcdef > d/lock.longmix.tmp
: > d/part-1-of-2.longmix.tmp
: > d/prepare.longmix.tmp
lmpack -q -L 64 -o d mix.lmt
diff -r whole d
echo precious > victim
ln -s ../victim d/lock.longmix.tmp
! timeout 20 lmpack -q -L 64 -o d mix.lmt 2> err
grep -q 'd/lock.longmix.tmp: cannot open' err
[ "$(cat victim)" = precious ]
rm d/lock.longmix.tmp
mkfifo d/lock.longmix.tmp
! timeout 20 lmpack -q -L 64 -o d mix.lmt 2> err
grep -q 'd/lock.longmix.tmp: is in the way' err
rm d/lock.longmix.tmp
ln victim d/lock.longmix.tmp
! timeout 20 lmpack -q -L 64 -o d mix.lmt 2> err
grep -q 'd/lock.longmix.tmp: is in the way and a link' err
[ "$(cat victim)" = precious ]
rm d/lock.longmix.tmp
lmpack -q -L 64 -o d mix.lmt
diff -r whole d
! lmpack -q -L 64 -o victim mix.lmt 2> err
grep -q '^lmpack: victim: Not a directory' err
