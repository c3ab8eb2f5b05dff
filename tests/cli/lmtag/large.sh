# A line of 100 MB goes through, without memory for much more than its copies.
set +o pipefail # yes ends by SIGPIPE
{ printf '{"text": "'; yes 'words and \u00e9scapes ' | head -c 100000000 | tr -d '\n' ; printf ' "}\n{"text":"next"}\n'; } | zstd -q1 > big.jsonl.zst
lmtag -v -j 1 -o out.jsonl big.jsonl.zst 2> err
tail -c 37 out.jsonl | tail -n 1
peak=$(sed -n 's/.* \([0-9]*\)\.[0-9] MB peak$/\1/p' err)
# The sanitizers have their own idea of memory.
case $LM_BUILD in */build) [ "$peak" -lt 420 ] || { echo "$peak MB"; exit 1; } ;; esac
