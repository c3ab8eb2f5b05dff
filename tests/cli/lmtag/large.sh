# A line of 100 MB is processed with little more memory than its copies.
set +o pipefail # yes ends by SIGPIPE
{ printf '{"text": "'; yes 'words and \u00e9scapes ' | head -c 100000000 | tr -d '\n' ; printf ' "}\n{"text":"next"}\n'; } | zstd -q1 > big.jsonl.zst
lmtag -v -j 1 -o out.jsonl big.jsonl.zst 2> err
tail -c 37 out.jsonl | tail -n 1
peak=$(sed -n 's/.* \([0-9]*\)\.[0-9] MB peak$/\1/p' err)
# Sanitizers need more memory.
case $LM_BUILD in */build) [ "$peak" -lt 420 ] || { echo "$peak MB"; exit 1; } ;; esac
# Out of memory ends the run; the line is not treated as bad.
case $LM_BUILD in */build) ;; *) exit 0 ;; esac
rm out.jsonl
(ulimit -v 800000; lmtag -j 1 --bad-lines quarantine:q -o out.jsonl big.jsonl.zst 2> err) && exit 1 || [ $? = 1 ]
grep -q 'out of memory' err
[ ! -e out.jsonl ] && [ ! -e q ]
