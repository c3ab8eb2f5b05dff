# Without CUDA support or a GPU, --backend cuda is an error and never falls back to the CPU.
echo '{ "model_type": "llama", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
  "num_attention_heads": 2, "vocab_size": 512 }' >shape.json
status=0; said=$(lmtrain --init shape.json --data none -o out -n 1K --backend cuda 2>&1) || status=$?
[[ $said == *none* ]] && { echo "a GPU is here: see tests/gpu" >&2; exit 77; }
case $said in
    *"backend cuda: this program was built without CUDA"* | *"no GPU"* | *"no CUDA"*) ;;
    *) echo "it said: $said" ;;
esac
[ "$status" != 0 ] || echo "exit 0"
[ ! -e out ] || echo "out was made"
