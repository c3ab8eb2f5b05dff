# Errors: exit status and message.
g=$LM_SRC/tests/golden/plan-v1
refused() { # status, words, arguments
    local want=$1 words=$2 status=0
    shift 2
    lmpack "$@" > out 2> err < "${stdin:-/dev/null}" || status=$?
    [ $status = "$want" ] || { echo "lmpack $*: exit $status"; cat err; return 1; }
    grep -qF -- "$words" err || { echo "lmpack $*: no \"$words\" in:"; cat err; return 1; }
    [ ! -s out ]
}
lmmix "$g/plan.json" "$g/store.lmt" > mix.lmt
lmmix "$g/plan.json" "$g/store.lmt" --part 2/3 > part.lmt
refused 2 "-L N" -o d mix.lmt
refused 2 "-o DIR" -L 10 mix.lmt
refused 2 "from 1 to" -L 300000000 -o d mix.lmt
refused 2 "concat|best-fit" -L 10 --pack worst-fit -o d mix.lmt
refused 2 "one stream" -L 10 -o d mix.lmt part.lmt
refused 1 "no-such.lmt" -L 10 -o d no-such.lmt
refused 2 "part 2/3" -L 500 -o d part.lmt
refused 2 "part 2/3" -L 500 --part 1/3 -o d part.lmt
refused 2 "plan again with this -L" -L 6000 --part 2/3 -o d part.lmt
refused 2 "cannot be packed in parts" -L 10 --part 1/2 -o d "$g/store.lmt"
refused 2 "vocabulary" -L 10 --pack best-fit --pad-id 99999999 -o d mix.lmt
refused 3 "less than one row" -L 1000000 -o d mix.lmt
refused 3 "less than one row" -L 1000000 -o d "$g/store.lmt"
refused 1 "cannot create the directory" -L 10 -o no/such/dir mix.lmt
refused 1 "not a token stream" -L 10 -o d

# A truncated or damaged stream.
head -c 30000 mix.lmt > short.lmt
refused 1 "short.lmt" -L 500 -o short short.lmt
stdin=short.lmt refused 1 "stdin" -L 500 -o short
[ ! -e short/manifest.json ]
! ls short/*.tmp 2> /dev/null
cp mix.lmt flipped.lmt
printf '\377' | dd of=flipped.lmt bs=1 seek=30000 conv=notrunc status=none
refused 1 "flipped.lmt: byte" -L 500 -o flipped flipped.lmt

# Another mixture in the directory.
lmpack -q -L 500 -o d mix.lmt
cp -r d before
refused 2 "belongs to another mixture" -L 400 -o d mix.lmt
refused 2 "belongs to another mixture" -L 500 -o d "$g/store.lmt"
diff -r d before
lmpack -q -L 400 -o d --force mix.lmt
lmcheck d > /dev/null
lmpack -q -L 500 -o d --force mix.lmt
diff -r d before
