# A store by its index and through a pipe, its mixture as a stream, a file, parts and shards: equal
# contents give equal counts.
. "$LM_SRC/tests/cli/lmtok/model.bash"
lmsynth -q --bytes 4M --file-bytes 1M -o corpus
lmtok -q -m m.model -o store.lmt corpus
for k in 1 2 3; do lmtok -q -m m.model -o parts --part $k/3 corpus; done
lmhist --json store.lmt > store.json
lmhist --json parts | cmp - store.json
lmhist --json < store.lmt | cmp - store.json
cat store.lmt | lmhist --json | cmp - store.json
lmtok -q -m m.model corpus | lmhist --json - | cmp - store.json
lmplan -q -r cut-4k --tokens 512Ki -L 4096 -o plan.json store.lmt
lmmix -q plan.json store.lmt > mixture.lmt
lmhist --json mixture.lmt > mixture.json
lmhist --json < mixture.lmt | cmp - mixture.json
lmpack -q -L 4096 -o shards < mixture.lmt
lmhist --json shards | cmp - mixture.json
# no document is over 4,096 in pieces of 4,096, and all tokens are counted
lmhist --tsv mixture.lmt | awk '$2 == "all" { print $5, $7, ($NF <= 4096) }'
# a plan reads the JSON
lmplan -q -r cut-128k --tokens 100K store.json > /dev/null
# a truncated stream gives no histogram
head -c 500000 store.lmt | lmhist >out 2>message && exit 3
[ ! -s out ]
