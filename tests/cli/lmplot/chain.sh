# What lmeval measures on a real model, lmplot draws: the two agree on the format.
[ -n "$LM_DATA" ] || { echo "no test data (LM_DATA)" >&2; exit 77; }
lmimport -q llama2c "$LM_DATA/stories260K/stories260K.bin" "$LM_DATA/stories260K/tok512.bin" -o stories
for attention in rope dca; do
    lmeval -q ppl --model stories --attention $attention --text "$LM_DATA/haystack/love.txt" --windows 1 \
        --lengths 256,512,1Ki --bins 4 -o ppl-$attention.jsonl
    lmeval -q needle --model stories --attention $attention --haystack "$LM_DATA/haystack" --new-tokens 4 \
        --lengths 512,768 --depths 0,100 -o needle-$attention.jsonl
    lmeval -q passkey --model stories --attention $attention --lengths 512,768 --depths 0,100 --trials 1 \
        -o passkey-$attention.jsonl
done
for figure in ppl needle passkey; do
    lmplot $figure $figure-rope.jsonl $figure-dca.jsonl -o $figure.svg
    lmplot $figure $figure-rope.jsonl $figure-dca.jsonl -o - | cut -d '|' -f 2
done
lmplot position ppl-rope.jsonl ppl-dca.jsonl -o position.svg
lmplot needle needle-rope.jsonl --score exact -o exact.tsv && head -n 1 exact.tsv
# Equal up to the trained length, so equal in every digit of the table.
lmplot ppl ppl-rope.jsonl ppl-dca.jsonl -o - | awk -F '|' '/RoPE|DCA/ { print $3 $4 }' | sort -u | wc -l
