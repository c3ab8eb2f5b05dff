# Errors: exit status and message; no output file is left.
g=$LM_SRC/tests/golden/plan-v1
refused() { # status, words, arguments
    local want=$1 words=$2 status=0
    shift 2
    lmplan "$@" -o out.json 2> err > out || status=$?
    [ $status = "$want" ] || { echo "lmplan $*: exit $status"; cat err; return 1; }
    grep -qF -- "$words" err || { echo "lmplan $*: no \"$words\" in:"; cat err; return 1; }
    [ ! -s out ] && [ ! -e out.json ]
}
refused 2 "--recipe is missing" "$g/store.lmt"
refused 2 "SOURCE is missing" -r per-source
refused 2 "one store" -r per-source "$g/store.lmt" "$g/store.lmt"
refused 2 "--length 0" -r cut-4k -L 0 "$g/store.lmt"
refused 2 "--seed" -r cut-4k --seed x "$g/store.lmt"
refused 2 "--when-short" -r cut-4k --when-short never "$g/store.lmt"
refused 2 "shards" -r cut-4k --tokens 100 --shards 1M "$g/store.lmt"
refused 1 "neither a file nor a recipe" -r no-such "$g/store.lmt"
refused 1 "no-such.lmt" -r cut-4k no-such.lmt
refused 3 "the largest --tokens that fits is" -r cut-4k "$g/store.lmt"
refused 3 "the largest --tokens that fits is" -r cut-4k "$g/hist.json"

head -c 20000 "$g/store.lmt" > short.lmt
refused 1 "short.lmt" -r cut-4k --tokens 100 short.lmt
head -c 200 "$g/hist.json" > short.json
refused 1 "short.json" -r cut-4k --tokens 100 short.json
sed 's/"unit": "tokens"/"unit": "characters"/' "$g/hist.json" > characters.json
refused 1 "characters" -r cut-4k --tokens 100 characters.json
echo '{"name": "x", "tokns": 5}' > typo.json
refused 1 "tokns" -r typo.json "$g/store.lmt"
mkdir empty
refused 1 "empty" -r cut-4k --tokens 100 empty
: > nothing
refused 1 "nothing" -r cut-4k --tokens 100 nothing

# A full disk.
status=0
lmplan -r cut-4k --tokens 100 "$g/store.lmt" > /dev/full 2> err || status=$?
[ $status = 1 ] && grep -q "standard output" err
