# The same test with LLaMA-2's vocabulary.
real=1
. "$LM_SRC/tests/cli/lmcat/text.sh"
