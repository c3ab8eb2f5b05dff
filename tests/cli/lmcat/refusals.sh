# Errors of lmcat, and damaged input that it must not print.
g=$LM_SRC/tests/golden/shard-v1
refused() { # status, words, arguments
    local want=$1 words=$2 status=0
    shift 2
    lmcat "$@" > out 2> err < /dev/null || status=$?
    [ $status = "$want" ] || { echo "lmcat $*: exit $status"; cat err; return 1; }
    grep -qF -- "$words" err || { echo "lmcat $*: no \"$words\" in:"; cat err; return 1; }
}
refused 2 "PATH"
refused 2 "-m MODEL" --text "$g/concat"
refused 2 "--json" --format fu "$g/concat"
refused 2 "--json" --ids --text -m model "$g/concat"
refused 2 "pack the stream first" --json --format fu "$LM_SRC/tests/golden/store-v1/tiny.lmt"
refused 1 "no-such" no-such
refused 1 "no-such.model" --text -m no-such.model "$g/concat"
cp "$g/concat/shard-00000.lms" x.lms
printf '\377' | dd of=x.lms bs=1 seek=4104 conv=notrunc status=none
refused 1 "x.lms: byte 4104: row 1 is damaged" --ids x.lms
[ "$(wc -l < out)" = 1 ]
lmcat --ids --from 2 x.lms | wc -l | grep -qx 2
mkdir d
cp "$g/concat/shard-00000.lms" d/shard-00001.lms
refused 1 "shard-00000.lms is missing" d
{ sleep 0.2; status=0; lmcat "$g/concat" || status=$?; echo $status > status; } | true
[ "$(cat status)" = 141 ]
