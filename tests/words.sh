#!/bin/bash
# Words and phrases that are not allowed, because the field has standard terms for them.
# Each row of the list: a pattern (grep -E, any case), what to write, a text that the pattern must
# find, and files where it is allowed (globs). Exits 1 and shows each occurrence.
set -euf
cd "$(dirname "$0")/.."
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed '1,/^exit /d' "$0" >"$work/list"
cut -f 1 "$work/list" >"$work/patterns"
find README.md NEWS.md CONTRIBUTING.md Makefile .ci docs recipes lib train eval figures tools include tests bench \
    scripts examples python -type f ! -path 'docs/figures/*' ! -path 'tests/data/*' ! -path 'tests/golden/*' \
    ! -path 'tests/fuzz/corpus/*' ! -path tests/words.sh -print0 | sort -z >"$work/files"
xargs -0 grep -InHiE -f "$work/patterns" <"$work/files" >"$work/hits" || true

bad=0 rows=0
while IFS=$'\t' read -r pattern instead example allowed; do
    rows=$((rows + 1))
    grep -qiE -e "$pattern" <<<"$example" || { echo "tests/words.sh: $pattern does not find '$example'"; bad=1; }
    while IFS= read -r hit; do
        for f in $allowed; do case ${hit%%:*} in $f) continue 2 ;; esac; done
        echo "$hit   <- write: $instead"
        bad=1
    done < <(grep -iE -e "$pattern" "$work/hits")
done <"$work/list"
files=$(tr -cd '\0' <"$work/files" | wc -c)
echo "$rows patterns, $files files"
[ "$rows" -gt 30 ] && [ "$files" -gt 300 ] || { echo "tests/words.sh: too few patterns or files"; bad=1; }
exit $bad
\<way back\>	backward pass	kept for the way back
\<there and back\>	transfers in both directions	its way there and back	eval/tasks/passkey.c eval/tasks/ruler/internal.h eval/tasks/ruler/vt.c tests/cli/lmeval/needle*.out tests/cli/lmeval/ruler*.out tests/unit/test_eval_ruler.c
\<anew\>	again, from the start; restart, reset	positions begin anew
\<(go|goes|going|went|gone) on (with|from|where|after)\>	continue, resume	goes on from what is done	tools/lmcat.c tests/cli/lmcat/*.out
\<(stands?|stood|standing) (in|beside|before|behind|between|apart|there|at)\>	is (in, before, at)	stands in host memory
\<as (it|they) stands?\>	unchanged	runs as it stands
\<sets? aside\>|\<setting aside\>	quarantine	lines are set aside	tools/lmcat.c tests/cli/lmcat/*.out
\<(is|are|was|were|be|been) told([,.:;)]| (with|by|before)\>)	reported, printed	is told with its file
\<(what|how it) calculates\>	compute backend; numerics	What calculates.
\<calculat(e|es|ed|ing)\>	compute	the device calculates
\<from nothing\>	from scratch	made again from nothing
\<made again\>	rebuilt, regenerated, rerun	is made again
\<likeliest\>	argmax, most probable	the likeliest token
\<without a name\>	unlinked temporary file	a file without a name
\<has its name\>	is renamed into place	has its name only when it is complete
\<(doors?|rooms)\>	interface; module	the only door between	lib/synth/words.c
\<(the|a|this) house\>	architecture	which rooms the house has	lib/synth/words.c tests/cli/lmgen/*.out tests/cli/golden/models.golden
\<(is|are|too|as) dear\>	expensive	Tokenizing is dear
\<for ever\>	indefinitely; deadlock	would wait for ever
\<d?turned\>	rotated; transposed	both are turned	lib/*
\<ledger\>	table of test status	the ledger of runs
\<brought to whole\>	rounded to whole	brought to whole sequences
\<(tokens?|rows?|steps?|bytes?|seconds?|documents?|MB|GB) an? (token|row|step|document|head|layer|sequence|second|rank|thread|shard)\>	per	tokens a step
\<(once|twice) an? (token|row|step|document|head|layer|sequence|thread|shard|rank)\>	per	once a step
\<whole and true\>	verify	is this file whole and true?
\<in silence\>	silently; ignored	pass in silence
\<compute the rest again\>	activation checkpointing: recompute	compute the rest again
\<slices of (MLP|loss)\>	chunked	slices of MLP and loss
\<cache of keys\>	KV cache	cache of keys and values
\<(is|are|sent|sends?|send) away\>	offloaded	it is away
\<(is|send|wait)_away\>|\<bring_back\>	is_offloaded, offload, prefetch	send_away
\<half_t\>	bf16	half_t
\<tr_place\>	tr_progress	tr_place
\<lm_mix\>	lm_hash4 (the hash)	lm_mix(
\<beside\>	next to, compared with	beside the work
\<(of all random choices|of what is drawn|of the order of rows)\>	seed for ...	Of all random choices
\<what there is\>	what is available	a recipe and what there is
\<under the knife\>	the word being stemmed	the word under the knife
\<hindrance\>	ignored, no obstacle	is no hindrance
\<(whence|thence|hither|thither|whereof|thereof|wherein|therein|hereby|whilst|amongst|betwixt|naught|nought|lest)\>	a current word	whence it came
\<(to|and) tell (it )?apart\>	distinguish	to tell apart
\<kept free of\>	reserved	kept free of book
