# Equal output from any number of threads; a figure drawn twice is the same.
lmsynth -q --bytes 8M --file-bytes 1M -o corpus
lmhist --json -j 1 --plot one.svg corpus > one.json
lmhist --json -j 4 --plot two.svg corpus > two.json
cmp one.json two.json
cmp one.svg two.svg
lmhist --json -j 3 corpus corpus > both.json
grep -c '"input": "corpus"' both.json
grep '^  "documents"' one.json
grep '"documents"' corpus/synth.json | head -n 1
