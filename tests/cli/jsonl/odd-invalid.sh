# Every broken line is refused, alone and among others, with file, line and byte.
. "$LM_SRC/tests/cli/odd.bash"
cp "$odd"/odd-invalid.jsonl in.jsonl
echo '{"text":""}' | cat in.jsonl - > some.jsonl # without one document, the file is refused as a whole
lmtag --bad-lines quarantine:q some.jsonl 2> all > /dev/null
cmp q in.jsonl
sed 's/some.jsonl/in.jsonl/; /no known domain/d' all > err
sed 's/^lmtag: //' err
n=0
while IFS= read -r want; do # "in.jsonl:LINE: byte N: reason", from the file's start
    n=$((n + 1))
    sed -n "${n}p" in.jsonl > line.jsonl
    lmtag -o out.jsonl line.jsonl 2> one && { echo "line $n was accepted"; exit 1; }
    grep -q '^lmtag: line.jsonl:1: byte [0-9]*: ' one
    [ "${want##*: }" = "$(sed 's/.*: //' one)" ]
    [ ! -e out.jsonl ]
done < <(sed -n 's/^lmtag: in/in/p' err)
[ $n = $(wc -l < in.jsonl) ]
