# --dry-run prints the memory plan and makes nothing.
[ -n "$LM_DATA" ] || { echo "no test data (LM_DATA)" >&2; exit 77; }
lmimport llama2c "$LM_DATA/stories260K/stories260K.bin" "$LM_DATA/stories260K/tok512.bin" -o stories
lmsynth --bytes 60K | lmtok -q -m stories/tokenizer.model -o train.lmt -
lmpack -q -L 2048 -o shards train.lmt
lmtrain --model stories --data shards -b 8K -n 16K --dry-run -o out | grep -v available
lmtrain --model stories --data shards -b 8K -n 16K --dry-run --recompute --keep-attention --micro-batch 1 | grep -v available
[ ! -e out ] && echo "nothing made"
