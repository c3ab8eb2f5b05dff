# To be sourced. Makes stories/, a model directory: a model of simple stories with a context of 512
# tokens and a vocabulary of 512, that of tests/data, or with real=1 the published stories260K. Sets
# essays (a folder of *.txt) and text (one of them, or the folder); `large` prints a tokenizer.model
# of 32,000 pieces.
if [ -n "${real:-}" ]; then
    [ -n "$LM_DATA" ] || { echo "no real data (LM_DATA)" >&2; exit 77; }
    checkpoint=$LM_DATA/stories260K/stories260K.bin vocabulary=$LM_DATA/stories260K/tok512.bin
    essays=$LM_DATA/haystack text=$LM_DATA/haystack/love.txt
    large() { cat "$LM_DATA/llama2/tokenizer.model"; }
else
    checkpoint=$LM_SRC/tests/data/stories66K.bin vocabulary=$LM_SRC/tests/data/tok512.bin
    essays=$LM_SRC/tests/data/essays text=$LM_SRC/tests/data/essays
    large() { seq 31996 | awk -f "$LM_SRC/recipes/toy-vocab.awk"; }
fi
lmimport -q llama2c "$checkpoint" "$vocabulary" -o stories
