# The same test with odd lines from another source.
real=1
. "$LM_SRC/tests/cli/jsonl/odd-invalid.sh"
