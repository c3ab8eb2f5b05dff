# The first SIGINT or SIGTERM ends every program, whatever its threads wait for: a silent pipe, a
# FIFO that nobody opens, a reader that does not read. Exit status 130. What is read at any offset is
# never a FIFO: such a file is refused at once.
. "$LM_SRC/tests/cli/lmtok/model.bash"
g=$LM_SRC/tests/golden/plan-v1 data=$LM_SRC/tests/data
lmsynth -q --bytes 1M --file-bytes 300K --format jsonl --seed 7 -o c
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model
cp -r "$LM_SRC/tests/golden/shard-v1/concat" shards
lmtok -q -m model/tokenizer.model c | lmpack -q -L 128 -o rows
mkfifo silent nobody nobody.json unread full
exec 3<> silent 4<> full # opened for both: open() does not wait, read() and write() do
# As wide as the programs make a pipe, so that none of them makes room in it.
python3 -c 'import fcntl; fcntl.fcntl(4, fcntl.F_SETPIPE_SZ, 1 << 20)' || true
dd if=/dev/zero of=full bs=4M count=1 oflag=nonblock 2> dd.log || true
mkdir out

n=0
declare -a pid name may_fail
waits() { # FROM TO PROGRAM ARGUMENT...; - is /dev/null
    local from=$1 to=$2; shift 2
    [ "$from" != - ] || from=/dev/null
    [ "$to" != - ] || to=/dev/null
    "$@" < "$from" > "$to" 2> "err$n" &
    pid[n]=$! name[n]="$* < $from > $to"
    may_fail[n]=
    n=$((n + 1))
}
# Small files may as well be refused at once because they are FIFOs.
waits_or_fails() { waits "$@"; may_fail[n - 1]=1; }

cases() {
    local j o=out/$1
    for j in 1 4; do
        waits silent - lmtok -q -j $j -m m.model -o "$o-a$j.lmt" -
        waits - - lmtok -q -j $j -m m.model -o "$o-b$j.lmt" nobody
        waits - full lmtok -q -j $j -m m.model c
        waits silent - lmtag -j $j
        waits - - lmtag -j $j c nobody
        waits - - lmtag -j $j silent
        waits - full lmtag -j $j c
        waits silent - lmhist -j $j -
        waits - - lmhist -j $j silent
        waits - full lmhist -j $j c
    done
    waits silent - lmtok -q -m m.model
    waits - - lmtok -q -m m.model silent
    waits_or_fails - - lmtok -m nobody c
    waits_or_fails - - lmtok -m m.model --domains nobody c
    waits - - lmtok -q -m m.model -o unread c
    waits - - lmtag -o unread c
    waits - - lmhist nobody
    waits_or_fails - - lmplan -r nobody.json --tokens 1K "$g/store.lmt"
    waits - full lmplan -r "$g/recipe.json" -L 512 "$g/store.lmt"
    waits - - lmplan -r "$g/recipe.json" -L 512 -o unread "$g/store.lmt"
    waits_or_fails - - lmmix nobody "$g/store.lmt"
    waits silent - lmmix "$g/hist-plan.json" -
    waits - full lmmix "$g/plan.json" "$g/store.lmt"
    waits - - lmmix -o unread "$g/plan.json" "$g/store.lmt"
    waits silent - lmpack -L 128 -o "$o-p1"
    waits - - lmpack -L 128 -o "$o-p2" nobody
    waits silent - lmcheck -
    waits - full lmcheck shards
    waits silent - lmcat -
    waits - - lmcat nobody
    waits - full lmcat "$g/store.lmt"
    waits - full lmsynth --bytes 1M
    waits_or_fails - - lmsynth --laws nobody.json --bytes 1M
    waits_or_fails - - lmtrain --init nobody.json --data shards -o "$o-m" -n 1K
    waits_or_fails - - lmtrain --init tiny.json --data rows -o "$o-n" -n 1K --log unread
    waits silent - lmgen -m model
    waits - - lmgen -m model --file nobody
    waits - full lmgen -m model -n 9 Once
    waits_or_fails - - lmeval ppl -m model --text nobody --lengths 128
    waits - full lmeval passkey -m model --lengths 400
    waits_or_fails - - lmimport llama2c "$data/stories66K.bin" nobody -o "$o-i"
    waits_or_fails - - lmplot ppl nobody.json -o x.svg
    for p in "$LM_BUILD"/bin/lm*; do waits - full "$p" --help; done
}
cp "$data/tiny.json" tiny.json

# Wait until every thread of a process sleeps in two looks, or it has ended.
sleeps() { # PID
    local look states
    for look in 1 2; do
        for _ in {1..600}; do
            states=$(cat /proc/"$1"/task/*/stat 2> stat.log | sed 's/.*) \(.\) .*/\1/' | sort -u) || true
            case $states in S | '' | Z) break ;; esac
            sleep 0.05
        done
        sleep 0.02
    done
}

bad=0
for signal in INT TERM; do
    n=0
    cases $signal
    for ((i = 0; i < n; i++)); do
        sleeps "${pid[i]}"
        kill -$signal "${pid[i]}" 2> kill.log || [ -n "${may_fail[i]}" ] || { echo "did not wait: ${name[i]}: $(cat "err$i")"; bad=1; }
    done
    for ((i = 0; i < n; i++)); do
        for _ in {1..100}; do kill -0 "${pid[i]}" 2> kill.log || break; sleep 0.05; done
        if kill -KILL "${pid[i]}" 2> kill.log; then echo "SIG$signal is ignored: ${name[i]}"; bad=1; fi
        status=0
        wait "${pid[i]}" || status=$?
        case ${may_fail[i]}$status in 130 | 143 | 1130 | 1143 | 11 | 12) ;; *) echo "SIG$signal: exit $status: ${name[i]}: $(cat "err$i")"; bad=1 ;; esac # 143: before the handler is set
    done
done

refused() { # PROGRAM ARGUMENT...: it ends by itself, with an error
    local status=0
    timeout 20 "$@" > said 2>&1 < /dev/null || status=$?
    case $status in 1 | 2) ;; *) echo "exit $status: $*: $(head -n 3 said)"; bad=1 ;; esac
}
mkdir parts.lmt set broken
ln -s ../nobody parts.lmt/part-0001-of-0001.lmt
ln -s ../nobody set/shard-00000.lms
cp model/config.json broken
ln -s ../nobody broken/model.safetensors
ln -s nobody x.lmt
ln -s nobody x.lms
refused lmmix "$g/plan.json" nobody
refused lmmix "$g/plan.json" parts.lmt
refused lmcheck nobody.json
refused lmimport llama2c nobody "$data/tok512.bin" -o imported
refused lmhist parts.lmt
refused lmhist set
refused lmcheck nobody x.lmt x.lms set parts.lmt
refused lmcat set
refused lmtrain --init tiny.json --data set -o trained -n 1K
refused lmgen -m broken Once
exit $bad
