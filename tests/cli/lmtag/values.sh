# The member "domain" is added after the brace, kept if it is correct, replaced if it is an
# alias or unknown; every other byte is unchanged.
cat > in.jsonl <<'END'
{"text": "no label"}
{"text": "by set", "meta": {"redpajama_set_name": "RedPajamaArXiv"}}
 { "text":"white space" ,"meta":{"redpajama_set_name":"RedPajamaC4"} } 
{"domain": "Book", "text": "right already"}
{"text": "an alias", "domain" : "RedPajamaGithub" , "n": 1.50}
{"text": "escaped", "dom\u0061in": "c4"}
{"text": "a number", "domain": 4, "meta": {"redpajama_set_name": "RedPajamaWikipedia"}}
{"text": "an object", "domain": {"a": ["}"]}, "meta": {"redpajama_set_name": "RedPajamaBook"}}
{"text": "nobody knows it, so it stays", "domain": "Reddit"}
{"text": "\"domain\": \"C4\"", "x": {"domain": "C4"}}

   
{"text": "no line feed at the end", "domain": "wiki"}
END
truncate -s -1 in.jsonl
lmtag in.jsonl
