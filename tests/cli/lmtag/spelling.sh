# Domains from the names of files do not depend on how a folder is given, nor on what is above it.
mkdir -p law/corpus/law law/corpus/web
echo '{"text":"1"}' > law/corpus/law/a.jsonl
echo '{"text":"2"}' > law/corpus/web/b.jsonl
for p in 'law/*' '*/law/*' '*law*' 'law/a.jsonl'; do
    echo "{\"domains\":[{\"name\":\"Law\",\"files\":[\"$p\"]}]}" > d.json
    table=$PWD/d.json
    (cd law/corpus && lmtag -q -d "$table" .) > want
    echo "$p: $(cut -d '"' -f 4 want | tr '\n' ' ')"
    for dir in law/corpus ./law/corpus/ "$PWD/law/corpus" law/../law/corpus; do
        lmtag -q -d d.json "$dir" | cmp - want
    done
done
