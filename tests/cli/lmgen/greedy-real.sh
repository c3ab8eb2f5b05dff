# The output of llama2.c for stories260K (its test runs the same 200 steps), and that of greedy
# decoding in transformers.
real=1
. "$LM_SRC/tests/cli/lmgen/greedy.sh"
