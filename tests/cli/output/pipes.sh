# Non-blocking descriptors are waited for; a reader that has gone is no fault; a file at its size
# limit is one, with a message.
. "$LM_SRC/tests/cli/lmtok/model.bash"
g=$LM_SRC/tests/golden/plan-v1 data=$LM_SRC/tests/data
lmsynth -q --bytes 3M --format jsonl --file-bytes 3M --seed 7 -o c
cat c/*.jsonl > c.jsonl
lmtok -q -m m.model -o s.lmt c.jsonl
lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model
bad=0

# Standard input arrives in pieces, standard output is read late; all three are non-blocking.
cat > run.py <<'P'
import os, sys
for fd in 0, 1, 2:
    os.set_blocking(fd, False)
os.execvp(sys.argv[1], sys.argv[1:])
P
slowly() { head -c 100000 "$1"; sleep 0.4; tail -c +100001 "$1"; }
same() { # INPUT PROGRAM ARGUMENT...
    local input=$1; shift
    "$@" < "$input" > want 2> /dev/null
    slowly "$input" | { python3 run.py "$@"; echo $? > status; } 2>&1 > >(sleep 0.6; cat > got; touch ended) | { sleep 0.6; cat > err; }
    for _ in {1..200}; do [ ! -e ended ] || break; sleep 0.05; done
    rm -f ended
    [ "$(cat status)" = 0 ] && cmp want got || { echo "non-blocking: exit $(cat status): $*: $(head -n 3 err)"; bad=1; }
}
same c.jsonl lmtag -v
same c.jsonl lmtok -m m.model
same c.jsonl lmhist -
same s.lmt lmcat --ids -
same s.lmt lmcheck -
same s.lmt lmmix "$g/hist-plan.json" -
same /dev/null lmsynth --bytes 1M --seed 1
same /dev/null lmtag --help

# A reader that has seen enough: no message, and the status of a closed pipe.
closed() { # PROGRAM ARGUMENT...
    { status=0; "$@" 2> err || status=$?; echo $status > status; } | true
    [ "$(cat status)" = 141 ] && [ ! -s err ] || { echo "closed pipe: exit $(cat status): $*: $(cat err)"; bad=1; }
}
mkfifo gone
closed_late() { sleep 0.1; "$@"; } # after `true` has gone
closed closed_late lmcat s.lmt
closed closed_late lmhist c.jsonl
closed closed_late lmtag c.jsonl
closed closed_late lmtok -q -m m.model c.jsonl
closed closed_late lmplan -r "$g/recipe.json" -L 512 "$g/store.lmt"
closed closed_late lmmix "$g/plan.json" "$g/store.lmt"
closed closed_late lmcheck "$g/store.lmt"
closed closed_late lmsynth --bytes 1M
closed closed_late lmgen -m model -n 5 Once
closed closed_late lmeval ppl -q -m model --text c.jsonl --lengths 128 --windows 1
for p in "$LM_BUILD"/bin/lm*; do closed closed_late "$p" --help; done
{ head -c 1 gone > first; } & reader=$!
status=0
lmtag -o gone c.jsonl 2> err || status=$?
wait $reader
[ $status = 141 ] && [ ! -s err ] || { echo "closed FIFO: exit $status: $(cat err)"; bad=1; }

# The limit on the size of a file.
limited() { # PROGRAM ARGUMENT...
    status=0
    (ulimit -f 8; exec "$@" > out 2> err) || status=$?
    [ $status = 1 ] && grep -q 'File too large (the limit of `ulimit -f`' err ||
        { echo "size limit: exit $status: $*: $(cat err)"; bad=1; }
}
limited lmtag c.jsonl
limited lmtag -o t.jsonl c.jsonl
limited lmtok -m m.model -o big.lmt c.jsonl
limited lmcat s.lmt
limited lmpack -L 128 -o big s.lmt
limited lmsynth --bytes 1M
limited lmsynth --bytes 1M -o made
limited lmimport llama2c "$data/stories66K.bin" "$data/tok512.bin" -o big-model
[ ! -e t.jsonl ] && [ ! -e big.lmt ] && [ ! -e big-model/model.safetensors ]
exit $bad
