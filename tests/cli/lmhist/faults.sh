# Errors name file and position; no output or figure is written.
try() { local status=0; "$@" >out 2>message || status=$?; sed 's/^/  /' message; [ ! -s out ] || echo "  it printed"; echo "$status: $*"; }
{ lmsynth -q --bytes 2M; echo '{"text": "cut'; lmsynth -q --bytes 2M --seed 2; echo '{"txt": ""}'; } > bad.jsonl
try lmhist -j 1 bad.jsonl
try lmhist -j 4 bad.jsonl
try lmhist absent
mkdir empty && try lmhist empty
lmsynth -q --bytes 200K --format zst -o c && head -c 40000 c/train-00000.jsonl.zst > cut.zst
try lmhist cut.zst
try lmhist --plot figure.gif c
try lmhist --json --tsv c
try lmhist --plot absent/figure.svg c
[ ! -e figure.gif ]
head -c 300 /dev/zero > zeros && try lmhist zeros
lmhist - < /dev/null | head -n 1
