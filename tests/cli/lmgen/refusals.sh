# Inputs that lmgen refuses, and the messages.
try() {
    local status=0
    lmgen -q "$@" 2>&1 </dev/null |
        sed 's/ (lmgen --help lists the options)//; s/[0-9]* MiB/N MiB/g; s/KV cache [0-9]*)/KV cache N)/' || status=$?
    echo "exit $status"
}
try 'Once'
try --model nowhere 'Once'
mkdir plain
echo '{ "model_type": "llama", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5,
  "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 511 }' >plain/config.json
try --model plain 'Once'
. "$LM_SRC/tests/cli/model.bash"
try --model stories --length 100 -n 99 'Once upon a time'
try --model stories --length 2000000000 'Once upon a time'
try --model stories -n 3000000000 'Once'
try --model stories --no-bos ''
try --model stories --attention dca:513,64 'Once'
try --model stories --attention dca:64,64 'Once'
try --model stories --attention dca:64,33 'Once'
try --model stories --attention sliding 'Once'
try --model stories --dca-parts intra 'Once'
try --model stories --rope-scaling wobbly:2 'Once'
try --model stories --rope-scaling linear:0.5 'Once'
try --model stories --mscale 0.2 'Once'
try --model stories --file absent.txt
try --model stories --file stories/config.json 'Once'
try --model stories Once upon
cp stories/tokenizer.model stories/model.safetensors plain
try --model plain 'Once'
large > stories/tokenizer.model
try --model stories 'Once'
lmimport -q llama2c "$checkpoint" "$vocabulary" -o stories
# More context than the trained length is reported and used.
lmgen --model stories --length 600 -n 2 'Once upon' 2>&1; echo
lmgen --model stories --length 600 -n 2 --attention dca 'Once upon' 2>&1; echo

# The reader (which starts first) closes the pipe; an interrupt while a long prompt is read.
status=0
mkfifo pipe
head -c 9 pipe &
lmgen -q --model stories -n 480 'Once' >pipe || status=$?
wait $!
echo; echo "exit $status"
mkfifo prompt
lmgen -q --model stories --attention dca -f prompt 2>said &
yes 'Once upon a time there was a little dog.' | head -c 160000 >prompt || :
kill -INT $!
status=0; wait $! || status=$?
cat said; echo "exit $status"
