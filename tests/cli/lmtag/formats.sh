# What is no JSON lines is named, with what helps, under all options for bad lines.
doc='{"text":"a","domain":"C4"}'
fails() { # pattern, file
    for bad in stop quarantine:q; do
        lmtag --bad-lines $bad -o out.jsonl "$2" 2> err && { echo "accepted: $2"; exit 1; } || [ $? = 1 ]
        grep -q "^lmtag: $2: $1" err || { cat err; exit 1; }
        [ ! -e out.jsonl ] && [ ! -e q ]
    done
    lmhist "$2" > /dev/null 2>&1 && exit 1 || [ $? = 1 ]
}
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n' > a.jsonl.zst
fails 'not JSON lines: this is a Git LFS pointer.*git lfs pull' a.jsonl.zst
cp a.jsonl.zst a.jsonl
fails '.*git lfs pull' a.jsonl
printf '<!DOCTYPE html>\n<html>404</html>\n' | tee b.jsonl > b.jsonl.gz
fails '.*an HTML page' b.jsonl
fails '.*an HTML page' b.jsonl.gz
echo "$doc" | tee c.jsonl.gz > c.jsonl.XZ
fails 'its name says gzip, but the content is not compressed' c.jsonl.gz
fails 'its name says xz, but' c.jsonl.XZ
printf 'PAR1\x15\x04' > d.parquet
fails '.*a Parquet file; duckdb' d.parquet
echo "$doc" > in && tar -cf e.tar in && gzip -k e.tar
fails '.*a tar archive' e.tar
fails '.*a tar archive' e.tar.gz
gzip -c in | zstd -qc > f.zst
fails '.*decompress it once more' f.zst
echo "[$doc]" > g.json
fails ".*one JSON array; jq -c '.\[\]'" g.json
printf '{\n  "text": "a"\n}\n' > h.json
fails '.*JSON over several lines' h.json
{ printf '\xff\xfe'; echo "$doc" | sed 's/./&\x00/g'; } > i.jsonl
fails '.*UTF-16; iconv' i.jsonl
# A byte order mark at the begin of a file is left out, in the middle of it a line is invalid.
{ printf '\xef\xbb\xbf'; echo "$doc"; } > j.jsonl
lmtag j.jsonl | cmp - in
cat in j.jsonl > k.jsonl
lmtag k.jsonl 2> err > /dev/null && exit 1 || [ $? = 1 ]
grep -q 'k.jsonl:2: byte 27: begins with a byte order mark' err
# Positions count the mark.
{ printf '\xef\xbb\xbf'; echo '{"text":7}'; } > l.jsonl
lmtag l.jsonl 2> err > /dev/null && exit 1 || [ $? = 1 ]
grep -q 'l.jsonl:1: byte 11: "text" is a number' err
