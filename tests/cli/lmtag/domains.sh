# A user's domain table: keys, aliases, file patterns, and the treatment of other documents.
cat > d.json <<'END'
{"keys": ["source.name"],
 "domains": [{"name": "Law", "aliases": ["gesetze"]},
             {"name": "News", "files": ["news-*"]}]}
END
echo '{"text":"1","source":{"name":"GESETZE"}}' > a.jsonl
echo '{"text":"2"}' > news-1.jsonl
echo '{"text":"3","source":{"name":"Blogs"}}' > b.jsonl
lmtag -d d.json a.jsonl news-1.jsonl b.jsonl 2> err
grep -q 'documents of no known domain: 1' err

lmtag -d d.json --unknown stop -o out.jsonl a.jsonl b.jsonl 2> err && exit 1 || [ $? = 1 ]
grep -qx 'lmtag: b.jsonl:1: byte 0: no domain is named "Blogs"' err
[ ! -e out.jsonl ] && [ ! -e out.jsonl.longmix.tmp ]
sed 's/"domains"/"unknown": "stop", "domains"/' d.json > stop.json
lmtag -d stop.json a.jsonl b.jsonl > /dev/null 2>&1 && exit 1 || [ $? = 1 ]
lmtag -d stop.json --unknown keep a.jsonl b.jsonl 2> /dev/null | wc -l
lmtag -d stop.json --bad-lines quarantine:q a.jsonl b.jsonl 2> /dev/null | wc -l
cmp q b.jsonl

echo '{"domains": [{"name": "A", "alias": ["B"]}]}' > bad.json
lmtag -d bad.json a.jsonl 2> err && exit 1 || [ $? = 1 ]
grep -q 'bad.json: domains\[0\].alias: no such field' err
