# Ids decode to the original text, from a store and from rows.
. "$LM_SRC/tests/cli/odd.bash"
printf '%s\n' '{"text":"The quick brown fox.","meta":{"redpajama_set_name":"RedPajamaC4"}}' \
    '{"text":"A tab\tand a \"quote\", \u00fc and \ud83d\ude00.","meta":{"redpajama_set_name":"RedPajamaBook"}}' > in.jsonl
lmtok -q -m "$model" -o s.lmt in.jsonl
lmcat --text -m "$model" s.lmt
lmcat --json --text -m "$model" s.lmt | sed 's/.*"text"/"text"/'
lmpack -q -L 50 --pack best-fit -o d s.lmt
lmcat --text -m "$model" d
# A tokenizer model other than the one that produced the ids (the same with an unknown field).
cp "$model" other.model
printf '\300\076\001' >> other.model
for f in s.lmt d; do
    status=0
    lmcat --text -m other.model $f 2> err || status=$?
    [ $status = 2 ]
    grep -q "another tokenizer" err
done
