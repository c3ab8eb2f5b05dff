# A line of 100 MB goes through, without memory for much more than its copies; one over 1 GiB is
# refused.
set +o pipefail # yes ends by SIGPIPE
{ printf '{"text": "'; yes 'words and \u00e9scapes ' | head -c 100000000 | tr -d '\n' ; printf ' "}\n{"text":"next"}\n'; } | zstd -q1 > big.jsonl.zst
lmtag -v -j 1 -o out.jsonl big.jsonl.zst 2> err
tail -c 37 out.jsonl | tail -n 1
peak=$(sed -n 's/.* \([0-9]*\)\.[0-9] MB peak$/\1/p' err)
# The sanitizers have their own idea of memory.
case $LM_BUILD in */build) [ "$peak" -lt 420 ] || { echo "$peak MB"; exit 1; } ;; esac
[ "$(awk '/MemAvailable/ { print $2 }' /proc/meminfo)" -gt 3000000 ] || exit 0
case $LM_BUILD in */build) ;; *) exit 0 ;; esac
rm out.jsonl
{ printf '{"text":"short"}\n{"text":"'; head -c 1200000000 /dev/zero | tr '\0' a; } | zstd -q1 > huge.jsonl.zst
lmtag -o out.jsonl huge.jsonl.zst 2> err && exit 1 || [ $? = 1 ]
grep -qx 'lmtag: huge.jsonl.zst:2: byte 17: a line longer than 1 GiB: is this JSONL?' err
[ ! -e out.jsonl ]
