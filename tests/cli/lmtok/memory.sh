# A document of 100 MB between others: less than 300 MB plus 16 MB per thread.
. "$LM_SRC/tests/cli/lmtok/model.bash"
[ "$(basename "$LM_BUILD")" = build ] || { echo "skipped: sanitizers take memory of their own"; exit 77; }
{
    echo '{"text": "before", "domain": "Book"}'
    printf '{"domain": "Book", "text": "'
    awk 'BEGIN { for (i = 0; i < 1000000; i++)
        printf "It was the best of %d, it was the worst of times: \\\"it was\\\" (the age) of \\u201cwisdom\\u201d. ", i }'
    echo '"}'
    echo '{"text": "after", "domain": "Book"}'
} > book.jsonl
for j in 1 4; do
    lmtok -v -j $j -m m.model -o $j.lmt book.jsonl 2> err
    peak=$(sed -n 's/.* \([0-9]*\)\.[0-9]* MB peak$/\1/p' err)
    echo "-j $j: $peak MB" >&2
    [ "$peak" -lt $((300 + 16 * j)) ]
done
cmp 1.lmt 4.lmt

# Two of them, compressed: what is read ahead counts.
cat book.jsonl book.jsonl | zstd -qc > books.jsonl.zst
for j in 1 4; do
    lmtok -v -j $j -m m.model -o books-$j.lmt books.jsonl.zst 2> err
    peak=$(sed -n 's/.* \([0-9]*\)\.[0-9]* MB peak$/\1/p' err)
    echo "compressed, -j $j: $peak MB" >&2
    [ "$peak" -lt $((300 + 16 * j)) ]
done
cmp books-1.lmt books-4.lmt
rm books*

# The same without a place to split, and with one id per byte.
for unit in a ' ' acgt '\360\237\230\200'; do
    awk -v unit="$unit" 'BEGIN {
        for (s = unit; length(s) < 1000000;) s = s s
        printf "{\"text\": \""
        for (n = 0; n < 100000000; n += length(s)) printf "%s", s
        print "\"}" }' > uncut.jsonl
    lmtok -v -j 1 --force -m m.model -o uncut.lmt uncut.jsonl 2> err
    peak=$(sed -n 's/.* \([0-9]*\)\.[0-9]* MB peak$/\1/p' err)
    echo "'$unit': $peak MB" >&2
    [ "$peak" -lt 316 ]
done
lmcat --json 1.lmt | grep -c '"domain":"Book"'
