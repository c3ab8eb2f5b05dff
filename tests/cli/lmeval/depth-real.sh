# The same test with the published model stories260K.
real=1
. "$LM_SRC/tests/cli/lmeval/depth.sh"
