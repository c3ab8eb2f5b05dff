# The same test with a sample of SlimPajama.
real=1
. "$LM_SRC/tests/cli/recipes/slimpajama-5b.sh"
