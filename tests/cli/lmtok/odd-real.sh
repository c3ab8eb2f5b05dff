# The same test with odd lines from another source and LLaMA-2's vocabulary.
real=1
. "$LM_SRC/tests/cli/lmtok/odd.sh"
