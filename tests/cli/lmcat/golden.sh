# Shards of format version 1 remain readable.
g=$LM_SRC/tests/golden/shard-v1
cd "$g"
for d in concat best-fit; do
    lmcheck $d
    lmcat $d
    lmcat --json --ids $d
done
lmcat --json --format fu best-fit
lmcat --ids --from 1 --head 2 concat/shard-00000.lms
lmcat concat/manifest.json | cmp - concat/manifest.json
