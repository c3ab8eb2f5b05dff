# Models of every architecture are trained, resumed, read; what config.json asks for is said or
# refused.
. "$LM_SRC/tests/cli/model.bash"
lmsynth --bytes 60K | lmtok -q -m stories/tokenizer.model -o train.lmt -
lmpack -q -L 64 -o shards train.lmt
rest='"hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":512,
    "num_key_value_heads":2,"max_position_embeddings":128'
shape() { echo "{ \"model_type\": \"$1\", $rest $2 }" >"$1.json"; }
shape llama ', "attention_bias": true, "mlp_bias": true, "head_dim": 8'
shape qwen2 ', "tie_word_embeddings": true, "rope_parameters": {"rope_type": "yarn", "factor": 4, "rope_theta": 1e6,
    "original_max_position_embeddings": 32}'
shape qwen3 ', "head_dim": 8, "attention_bias": true, "layer_types": ["full_attention", "full_attention"]'
shape mistral ', "sliding_window": 96'
for kind in llama qwen2 qwen3 mistral; do
    train() { lmtrain -q --init $kind.json --data shards -b 256 --save-every 256 --lr 1e-2 "$@"; }
    train -n 768 -o $kind
    train -n 512 -o later --recompute
    train -n 768 -o later --recompute --resume
    cmp $kind/model.safetensors later/model.safetensors
    rm -r later
    cp stories/tokenizer.model $kind/
    grep -E 'model_type|ForCausalLM|rope_type' $kind/config.json
    lmgen -q --model $kind -n 8 'Once' >text
    lmeval ppl --model $kind --text "$text" -L 90 --windows 1 --bins 0 2>/dev/null |
        python3 -c 'import json, sys; v = json.loads(next(sys.stdin)); print("better than chance:", v["value"] < 480)'
done
run() { local status=0; "$@" 2>&1 || status=$?; echo "exit $status"; }
attention() { grep -o '"attention":"[^"]*"\|"mscale":[^,]*\|"trained":[^,]*' "$1" | sort -u | tr '\n' ' '; echo; }
echo "-- a window that binds"
run lmgen -q --model mistral --length 97 -n 1 'Once'
run lmtrain -q --init mistral.json --data shards --seq-len 64 -b 256 -n 256 -o fits
sed -i 's/"sliding_window": 96/"sliding_window": 63/' mistral.json
run lmtrain -q --init mistral.json --data shards -b 256 -n 256 -o none
echo "-- Dual Chunk Attention of config.json"
shape qwen2 ', "dual_chunk_attention_config": {"chunk_size": 24, "local_size": 8, "sparse_attention_enabled": true,
    "original_max_position_embeddings": 32}'
lmtrain --init qwen2.json --data shards -b 256 -n 512 -o dual 2>&1 | grep -v saved
grep -c '"attention": "dca:24,8, mscale 0.1"' dual/checkpoint-00000002/run.json
run lmtrain -q --init qwen2.json --data shards -b 256 -n 768 -o dual --resume --attention dca:24,8
cp stories/tokenizer.model dual/
ppl() { lmeval ppl --model dual --text "$text" -L 100 --windows 1 --bins 0 "$@"; }
ppl 2>said >own; grep sparse said; attention own
ppl --attention rope 2>said >rope; grep -c sparse said || true; attention rope
ppl --mscale none -q >bare; attention bare
ppl --attention dca:24,8 --mscale 0.1 -q >same; attention same
value() { sed 's/.*"value":\([^,]*\),.*/\1/' "$1"; }
cmp <(value own) <(value same) && ! cmp -s <(value own) <(value bare) && ! cmp -s <(value own) <(value rope)
