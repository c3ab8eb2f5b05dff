# An evaluation takes its own options and the common ones, before and after its name, and no
# others; its help lists them.
try() { local status=0; lmeval "$@" >out 2>&1 || status=$?; head -n 1 out; echo "exit $status"; }
line='{"prediction": "John Smith.", "answers": ["John Smith"]}'
echo "$line" >p.jsonl

# Options before the name, and after it; a value that looks like a name; --.
lmeval -q --seed 3 score bookqa p.jsonl | grep -o '"seed":3' | sort | uniq -c
lmeval -q score bookqa --seed 3 p.jsonl | grep -o '"seed":3' | sort | uniq -c
lmeval -q -o score score bookqa p.jsonl && wc -l <score
lmeval -q --seed 3 -- score bookqa p.jsonl | grep -o '"seed":3' | sort | uniq -c
try --lengths 512 ppl
try --bootstrap 10 compare one
try --model m compare one # model options are accepted everywhere

# Another evaluation's options, also with their default values.
try ppl --bootstrap 1000 --model m
try --stride 256 needle --model m
try compare --shots -1 a b
try score --no-share needle p.jsonl
try -L 16 score needle p.jsonl
try domains file --model m

# Unknown options and names.
try ppl --strides 3
try --bootstrp 3
try --zzzzzzzzzz 3
try ppl -Z
try ppls
try
try ppl --stride
try ppl --verbose=3

# Help: general, with a line for each evaluation; of one evaluation, also before its name.
lmeval --help | grep -A 13 '^evaluations'
if lmeval --help | grep -e --shots -e --depths; then echo "options of one evaluation in the help of all"; fi
lmeval ppl --help >ppl.txt
lmeval --help ppl | cmp - ppl.txt
lmeval --seed 1 ppl -h | cmp - ppl.txt
for name in ppl domains compare needle passkey ruler mmlu bookqa fewshot leval score; do
    echo "$name: $(lmeval $name --help | grep -oE '^  (-., )?--[a-z[-]*]?[a-z-]*' | sed 's/.*--/--/' | tr '\n' ' ')"
done
# The man page has all options.
lmeval --man | grep -E '^\.S[HS]'
