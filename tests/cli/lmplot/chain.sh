# lmplot draws what lmeval measures on a real model: both agree on the format.
. "$LM_SRC/tests/cli/model.bash"
for attention in rope dca; do
    lmeval -q ppl --model stories --attention $attention --text "$text" --windows 1 \
        --lengths 256,512,1Ki --bins 4 -o ppl-$attention.jsonl
    lmeval -q needle --model stories --attention $attention --haystack "$essays" --new-tokens 4 \
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
grep -o '"ceiling":[0-9.]*,"floor":[0-9.]*' needle-rope.jsonl | sort -u

for i in 1 2 3; do
    text=$(for k in 1 2 3; do printf 'Once upon a time there was a cat with %s toys. It liked to play. ' $((i * k)); done)
    echo "{\"text\": \"$text\", \"meta\": {\"redpajama_set_name\": \"RedPajamaC4\"}}"
done > docs.jsonl
lmtok -q -m stories/tokenizer.model -o docs.lmt docs.jsonl
for attention in dca dca:48,16; do
    lmeval -q domains --model stories -a $attention --data docs.lmt --ranges 32,128 --at 64 --at-width 8 \
        --bootstrap 20 -o domains-${attention#dca}.jsonl
done
lmeval -q compare domains-.jsonl domains-:48,16.jsonl -o delta.jsonl
lmplot domains domains-*.jsonl --baseline DCA -o table.tsv && cut -f 1,2 table.tsv
lmplot domains delta.jsonl domains-.jsonl -o delta.tsv && cut -f 1,2 delta.tsv
lmplot domains --at delta.jsonl -o - | cut -d '|' -f 2,3

# A run measured during training: its checkpoints record the trained tokens.
lmsynth -q --bytes 20K | lmtok -q -m stories/tokenizer.model -o train.lmt -
lmpack -q -L 64 --labels -o shards train.lmt
lmtrain -q --model stories --data shards -b 256 -n 1K --save-every 512 -o run
cp stories/tokenizer.model run
for dir in run/checkpoint-*; do
    cp stories/tokenizer.model $dir
    lmeval -q passkey --model $dir --lengths 512 --depths 0,100 --trials 1 -o $(basename $dir).jsonl
done
lmeval -q passkey --model stories --lengths 512 --depths 0,100 --trials 1 -o start.jsonl
lmplot -q curve start.jsonl checkpoint-*.jsonl --tokens stories=0 --name stories=run --name run=run -o curve.svg
lmplot -q curve start.jsonl checkpoint-*.jsonl --tokens stories=0 --name stories=run --name run=run -o - | head -n 1
lmplot loss run/log.jsonl -o - | cut -d '|' -f 2,3
# Equal up to the trained length, so equal in every digit of the table.
lmplot ppl ppl-rope.jsonl ppl-dca.jsonl -o - | awk -F '|' '/RoPE|DCA/ { print $3 $4 }' | sort -u | wc -l
