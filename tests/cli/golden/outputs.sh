# Hashes of every data output of version 0.1.0: documents, stores, histograms, plans, mixtures,
# shards, receipts, and what lmcat and lmcheck print. They do not depend on the machine. Members
# that name the program's version are excluded (sum.py). An output that changes needs a new format
# version.
data=$LM_SRC/tests/data
command -v python3 >/dev/null || { echo "python3 is absent"; exit 77; }
sum() { python3 "$LM_SRC/tests/cli/golden/sum.py" "$@"; }
stories() { awk -f "$data/stories.awk" -v json=1 -v seed="$1" -v stories="$2"; }

# ---- documents: lmsynth, lmtag -----------------------------------------------------------------
lmsynth -q --bytes 3M --file-bytes 1M --seed 3 --format jsonl -o synth
lmsynth -q --bytes 300K --seed 4 -o zst && for f in zst/*.zst; do zstd -dqc $f >${f%.zst}; done
sum synth/* zst/*.jsonl zst/synth.json
mkdir c
stories 1 250 >c/a.jsonl
cp "$data"/stories.jsonl.* c # compressed once: a store has the hash of each file on disk
{ stories 4 20; echo '{"text": 7}'; stories 5 20; echo 'rubbish'
  echo '{"text": "no source"}'; echo; echo '{"text": "other", "meta": {"redpajama_set_name": "Other"}}'; } >odd.jsonl
cat >laws.json <<'J'
{"domains": [{"name": "tale", "aliases": ["RedPajamaBook", "RedPajamaArXiv"]},
  {"name": "web", "aliases": ["RedPajamaC4", "RedPajamaCommonCrawl"]}], "unknown": "keep"}
J
lmtag c >tag.jsonl
lmtag -j 1 -o tag.jsonl.zst c && zstd -dqc tag.jsonl.zst | cmp - tag.jsonl
lmtag --only Book,C4 c >only.jsonl
lmtag -d laws.json c >laws.jsonl 2>/dev/null
lmtag -q --bad-lines quarantine:tag-bad odd.jsonl >odd-tagged.jsonl
sum tag.jsonl only.jsonl laws.jsonl odd-tagged.jsonl tag-bad

# ---- stores: lmtok -----------------------------------------------------------------------------
lmtok() { command lmtok -q -m "$data/tokenizer.model" "$@"; }
lmtok -j 1 -o j1.lmt c
lmtok -j 3 -o store.lmt c && cmp j1.lmt store.lmt
lmtok --reference c | cmp - store.lmt
for k in 3 1 2; do lmtok -o parts --part $k/3 c; done
lmtok --no-bos --eos -o eos.lmt c/a.jsonl
lmtok --no-bos -o bare.lmt - <c/a.jsonl
lmtok -d laws.json -o laws.lmt c
lmtok --bad-lines quarantine:tok-bad -o odd.lmt odd.jsonl
lmtok -o synth.lmt synth
lmtok -o essays.lmt - < <(python3 -c '
import json, sys
for name in sys.argv[1:]: print(json.dumps({"text": open(name, encoding="utf-8").read()}))' "$data"/essays/*.txt)
# A vocabulary of more than 65,536 ids: four bytes per token.
seq -f 'n%.0f' 70000 | LC_ALL=C awk -f "$LM_SRC/recipes/toy-vocab.awk" >wide.model
awk 'BEGIN { for (i = 0; i < 90; i++) { printf "{\"text\": \"n%d", 1 + i * 777
    for (k = 1; k < 20 + i; k++) printf " n%d", 1 + (i * k * 7919) % 70000; print "\"}" } }' >wide.jsonl
command lmtok -q -m wide.model -o wide.lmt wide.jsonl
sum store.lmt parts/* eos.lmt bare.lmt laws.lmt odd.lmt tok-bad synth.lmt essays.lmt wide.lmt

# ---- histograms: lmhist ------------------------------------------------------------------------
for f in c store.lmt parts synth.lmt laws.lmt; do
    lmhist --json $f >$f.hist.json
    lmhist --tsv $f >$f.hist.tsv
    lmhist --ascii $f >$f.hist.txt
    lmhist --ascii --by docs $f >$f.hist-docs.txt
done
lmhist --json store.lmt synth.lmt >two.hist.json
sum ./*.hist* | sed 's,\./,,'

# ---- plans, mixtures, shards: lmplan, lmmix, lmpack --------------------------------------------
for r in cut-4k cut-128k per-source global up-arxiv-book-github up-book up-code up-arxiv; do
    lmplan -q -r $r --tokens 150K --when-short shrink -L 1024 --shards 5 synth.lmt -o $r.json
    lmplan -q -r $r --tokens 150K --when-short shrink -L 1024 --table synth.lmt >$r.table
    lmmix -q $r.json synth.lmt -o $r.lmt
    lmmix -q -j 1 $r.json synth.lmt | cmp - $r.lmt
    lmmix -q $r.json - <synth.lmt >$r.arrival.lmt
    lmpack -q -L 1024 -o $r.concat $r.lmt
    for k in 3 1 2; do lmmix -q $r.json synth.lmt --part $k/3 | lmpack -q -L 1024 --part $k/3 -o $r.parts; done
    diff -r $r.concat $r.parts
    sum $r.json $r.table $r.lmt $r.arrival.lmt $r.concat/*
done
lmmix -q per-source.json synth.lmt --part 2/3 -o part.lmt
lmpack -q -L 1024 --pack best-fit -o best-fit per-source.lmt
lmpack -q -L 500 --labels -o labels per-source.lmt
lmpack -q -L 333 --labels --pack best-fit --pad-id 2 -o best-fit-labels eos.lmt
lmpack -q -L 256 --shard-bytes 40K -o plain parts
lmpack -q -L 256 --shard-bytes 40K -o arrival per-source.arrival.lmt
lmpack -q -L 64 -o wide wide.lmt
# Another seed, repetitions, a plan from a histogram, a recipe from a file.
lmplan -q -r per-source --tokens 1M --seed 9 --when-short repeat -L 1024 synth.lmt -o repeat.json
lmmix -q repeat.json synth.lmt -o repeat.lmt
lmplan -q -r global --tokens 100K --when-short shrink -L 1024 synth.lmt.hist.json -o from-hist.json
lmmix -q from-hist.json synth.lmt -o from-hist.lmt
lmplan -q -r "$LM_SRC/tests/golden/plan-v1/recipe.json" --tokens 50K --when-short shrink -L 512 synth.lmt -o own.json ||
    echo "own recipe: exit $?"
sum part.lmt best-fit/* labels/* best-fit-labels/* plain/* arrival/* wide/* repeat.json repeat.lmt from-hist.json \
    from-hist.lmt

# ---- inspection: lmcat, lmcheck -----------------------------------------------------------------
model="-m $data/tokenizer.model"
lmcat store.lmt >cat.store
lmcat --json --ids --text $model store.lmt >cat.store.json
lmcat --ids --from 7 --head 5 parts >cat.parts.ids
lmcat --text $model essays.lmt >cat.essays.text
lmcat --json repeat.lmt >cat.mixture.json
lmcat best-fit >cat.rows
lmcat --json --ids --text $model best-fit >cat.rows.json
lmcat --json --format fu labels >cat.fu.json
lmcat --ids wide >cat.wide.ids
lmcat labels/manifest.json >cat.manifest && cmp cat.manifest labels/manifest.json
lmcat per-source.json | cmp - per-source.json
lmcheck store.lmt parts best-fit labels plain wide repeat.lmt per-source.json >check
sum cat.* check
