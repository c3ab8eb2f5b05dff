# Shards of format versions 1 and 2 remain readable, and are read as the same.
for v in 1 2; do
    cd "$LM_SRC/tests/golden/shard-v$v"
    for d in concat best-fit; do
        lmcheck $d
        lmcat $d
        lmcat --json --ids $d
    done
    lmcat --json --format fu best-fit
    lmcat --ids --from 1 --head 2 concat/shard-00000.lms
    lmcat concat/shard-00000.lms
    lmcat concat/manifest.json | cmp - concat/manifest.json
done

# Of version 2: several shards, inputs that end in different ones, a quarantined file, names not read.
lmcheck inputs
lmcat inputs
lmcat inputs/shard-00001.lms
lmcat inputs/manifest.json | cmp - inputs/manifest.json
