# What llama2.c prints of stories260K (its test runs the same 200 steps), and what transformers finds by
# greedy search.
real=1
. "$LM_SRC/tests/cli/lmgen/greedy.sh"
