# Other schemas: the text under another key, keys of domains, and the tables of domains/ with a line of
# each dataset.
try() { # text, domain, line, options: what each program makes of it
    echo "$3" > in.jsonl
    [ "$(lmtag -q "${@:4}" in.jsonl)" = "{\"domain\":\"$2\",${3#?}" ] || { lmtag "${@:4}" in.jsonl; exit 1; }
    lmtok -q -m "$model" "${@:4}" in.jsonl > out.lmt
    [ "$(lmcat --text -m "$model" out.lmt)" = "$1" ] || { lmcat --text -m "$model" out.lmt; exit 1; }
    [ "$(lmhist --tsv "${@:4}" in.jsonl | sed -n '2s/[^\t]*\t\([^\t]*\)\t.*/\1/p')" = "$2" ]
}
model=$LM_SRC/tests/data/tokenizer.model
try one Book '{"data":{"body":"one"},"text":3,"kind":"books"}' --text-key data.body --domain-key kind
try two C4 '{"text":"two","kind":"x","a":{"b":"C4"}}' --domain-key kind --domain-key a.b
try two C4 '{"text":"two","kind":"x","a":{"b":"C4"}}' --domain-key kind,a.b
# A label that no rule knows does not hide the next key.
try x Wikipedia '{"meta":{"redpajama_set_name":"RedPajamaWikipedia"},"domainx":"example.com","text":"x"}'
echo '{"domain":"example.com","text":"x","meta":{"redpajama_set_name":"RedPajamaWikipedia"}}' | lmtag | grep -o '^{"domain":"Wikipedia"'

try p Book '{"text":"p","meta":{"redpajama_set_name":"RedPajamaBook"}}' -d slimpajama
try p CommonCrawl '{"text":"p","pred_label":"__label__wiki","source":"cc/2019-30/en_head_0000.json.gz/line1"}' -d redpajama-v1
try p StackExchange '{"text":"p","meta":{"source":"stackexchange"}}' -d redpajama-v1
try p ArXiv '{"text":"p","meta":{"url":"http://x"},"red_pajama_subset":"arxiv"}' -d redpajama-v1
try p middle '{"url":"http://x","raw_content":"p","bucket":"middle"}' -d redpajama-v2
try p "PubMed Central" '{"text":"p","meta":{"pile_set_name":"PubMed Central"}}' -d pile
try p peS2o '{"id":"1","text":"p","source":"s2ag/train","added":"2023"}' -d dolma
try p CC-2019 '{"text":"p","id":"<urn>","dump":"CC-MAIN-2019-30","url":"http://x","language":"en"}' -d fineweb
try p C4 '{"text":"p","timestamp":"2019-04-25T12:57:54Z","url":"http://x"}' -d c4
try p Python '{"hexsha":"0","lang":"Python","content":"p","ext":"py"}' -d the-stack
try p Other '{"lang":"COBOL","content":"p"}' -d the-stack
# Options come before what the table says.
try q C++ '{"lang":"cpp","content":"p","code":"q"}' -d the-stack --text-key code

fails() { # exit status, pattern, options
    lmtag "${@:3}" in.jsonl > out 2> err && exit 1 || [ $? = $1 ]
    grep -q -- "$2" err || { cat err; exit 1; }
}
fails 1 'nosuch: no such file, and no preset: those are c4, dolma' -d nosuch
fails 2 'the key "a" is given twice' --domain-key a,a
fails 2 '"a..b" is not a path' --text-key a..b
fails 2 'the key "domain" is that of the text' --text-key domain
fails 2 'more than 8 keys' --domain-key 1,2,3,4,5,6,7,8,9
fails 1 'in.jsonl:1: byte [0-9]*: the object has no member "text"'
# What decides is recorded, where it is not the default.
for o in '' '-d slimpajama' '--text-key text' '--domain-key x' '--text-key code' '--invalid replace'; do
    echo '{"text":"a","code":"b"}' | lmtok -q -m "$model" $o | head -c 2000 | tr ',' '\n' |
        grep -aoE '"(text_key|invalid|domain_rules)":"[^"]*"' | sed "s/[0-9a-f]\{16\}/HASH/; s/^/$o: /" || true
done
