# --dry-run prints the memory plan and writes nothing.
. "$LM_SRC/tests/cli/model.bash"
lmsynth --bytes 60K | lmtok -q -m stories/tokenizer.model -o train.lmt -
lmpack -q -L 2048 -o shards train.lmt
lmtrain --model stories --data shards -b 8K -n 16K --dry-run -o out | grep -v available
lmtrain --model stories --data shards -b 8K -n 16K --dry-run --recompute --keep-attention --micro-batch 1 | grep -v available
[ ! -e out ] && echo "nothing made"
