# The same bytes from any number of threads, and the same documents to a folder and to a pipe.
for j in 1 2 5; do
    lmsynth -q --bytes 3M --file-bytes 400K --seed 11 -j $j -o j$j
done
diff -r j1 j2
diff -r j1 j5
lmsynth -q --bytes 3M --file-bytes 400K --seed 11 --format jsonl -o plain
ls plain | tail -n 3
for f in j1/*.zst; do zstd -dcq "$f"; done | cmp - <(cat plain/*.jsonl)
lmsynth -q --bytes 3M --file-bytes 400K --seed 11 | cmp - <(cat plain/*.jsonl)
lmsynth -q --bytes 3M --file-bytes 400K --seed 12 | cmp -s - <(cat plain/*.jsonl) && exit 1
lmsynth --bytes 3M --file-bytes 400K --seed 11 -o said 2>&1
grep -A3 '"name": "Book"' said/synth.json
