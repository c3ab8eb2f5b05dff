# A prompt of ids gives the ids that the same text gives, without a tokenizer in the directory; an id in
# eos_token_id ends the text; special tokens in a prompt.
. "$LM_SRC/tests/cli/model.bash"
gen() { lmgen -q --model stories "$@"; }
lines() { python3 -c 'import json, sys; print(*[json.loads(line)["id"] for line in sys.stdin])'; }
gen -n 30 --logprobs '' | lines >want
gen -n 30 --ids 1 | cmp - want
mv stories/tokenizer.model stories/tokenizer.json .
gen -n 30 --ids 1 | cmp - want
echo 1 $(cut -d ' ' -f 1-9 want) >prompt
gen -n 21 --ids -f prompt | cmp - <(cut -d ' ' -f 10-30 want)
tr ' ' ',' <prompt | gen -n 21 --ids | cmp - <(cut -d ' ' -f 10-30 want)
gen -n 1 --ids --logprobs 1 | grep -c '"piece"' || true
status=0; gen -n 3 '' 2>&1 || status=$?; echo "exit $status"
status=0; gen -n 3 --ids '1 x' 2>&1 || status=$?; echo "exit $status"
status=0; gen -n 3 --ids '1 512' 2>&1 || status=$?; echo "exit $status"
echo "-- ends"
sixth=$(cut -d ' ' -f 6 want)
first=$(tr ' ' '\n' <want | grep -n -x -m 1 "$sixth" | cut -d : -f 1)
echo "{\"eos_token_id\": [7, $sixth]}" >stories/generation_config.json
[ "$(gen -n 30 --ids 1 | wc -w)" = $((first - 1)) ] && echo "at the id"
echo '{"eos_token_id": "x"}' >stories/generation_config.json
status=0; gen -n 3 --ids 1 2>&1 || status=$?; echo "exit $status"
rm stories/generation_config.json
echo "-- special tokens"
mv tokenizer.model tokenizer.json stories/
gen -n 30 --logprobs '<s>' | lines | cmp - want
gen -n 30 --logprobs --special-text keep '<s>' | lines | cmp -s - want || echo "as text, it is another prompt"
