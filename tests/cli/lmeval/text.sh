# Text is UTF-8: whatever reads some refuses Latin-1, UTF-16 and binary files with file and byte.
. "$LM_SRC/tests/cli/model.bash"
printf 'The caf\xe9 was open. ' >latin1.txt
printf 'The dog ran. ' | iconv -t UTF-16LE >utf16.txt
printf 'The dog ran. ' | iconv -t UTF-16 >bom.txt
printf '\xe7\x8c\xab\xe8\xb5' >cut.txt
printf 'The dog \0ran.' >nul.txt
head -c 3000 stories/model.safetensors >binary.txt
{ printf 'The dog ran. '; head -c 100 /dev/zero | tr '\0' '\377'; } | gzip >late.txt.gz
try() { status=0; "$@" </dev/null 2>&1 >/dev/null | sed 's/ (iconv.*//' || status=$?; echo "exit $status"; }
echo "-- lmgen"
for f in latin1 utf16 bom cut nul binary late; do try lmgen -q -m stories -n 1 -f $(ls $f.*); done
status=0; lmgen -q -m stories -n 1 <latin1.txt 2>&1 || status=$?; echo "exit $status"
try lmgen -q -m stories -n 1 "$(cat latin1.txt)"
echo "-- lmeval"
for f in latin1 utf16; do
    try lmeval ppl -q -m stories --text "$text" --text $f.txt -L 64
    try lmeval needle -q -m stories --haystack $f.txt -L 300 --print-prompts
    try lmeval ruler niah_single_2 -q -m stories --haystack $f.txt --lengths 400 --print-prompts
done
mkdir folder
cp latin1.txt folder
try lmeval ppl -q -m stories --text folder -L 64
try lmeval needle -q -m stories --haystack "$text" --needle "$(cat latin1.txt)" -L 300 --print-prompts
mkdir -p mmlu/dev mmlu/test
echo "What?,1,2,3,4,A" >mmlu/dev/sums_dev.csv
printf 'Caf\xe9?,1,2,3,4,A\n' >mmlu/test/sums_test.csv
try lmeval mmlu mmlu -q -m stories --shots 1 --print-prompts
good='{"id":0,"context":"A cat.","input":"Who?","answer":["cat"]}'
{ echo "$good"; echo "${good/cat/caf$(printf '\xe9')}"; } >book.jsonl
try lmeval bookqa book.jsonl -q -m stories --print-prompts
printf '{"prediction":"caf\xe9","answers":["cat"]}\n' >said.jsonl
try lmeval score bookqa said.jsonl
iconv -t UTF-16 book.jsonl -f LATIN1 >book16.jsonl
try lmeval bookqa book16.jsonl -q -m stories --print-prompts
