# Small files that were once lost or refused.
[ -n "$LM_DATA" ] && [ -d "$LM_DATA/../cases" ] || { echo "no ../shared/cases"; exit 77; }
cases=$LM_DATA/../cases
lmtag -q "$cases/folder-names" | sed 's/.*"text"://'
lmtag -q "$cases/gzpad/pad.jsonl.gz" | wc -l
lmtag --bad-lines quarantine:q "$cases"/lfs/*.zst > /dev/null 2> err && exit 1 || [ $? = 1 ]
grep -o 'Git LFS pointer' err
lmtag -q -d redpajama-v2 "$cases/textkey" | wc -l
lmtag -q --text-key raw_content "$cases/textkey/en_middle.json.gz" | wc -l
lmtag "$cases/textkey/slimpajama6b-like.parquet" > /dev/null 2> err && exit 1 || [ $? = 1 ]
grep -o 'a Parquet file; duckdb' err
