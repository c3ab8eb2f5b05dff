# The sample: counts by domain as its README has them; the same bytes at any number of threads;
# tagging twice changes nothing; taking the names out again gives the input.
[ -n "$LM_DATA" ] || { echo "no test data" >&2; exit 77; }
s=$LM_DATA/slimpajama-sample
lmtag -v -j 1 "$s"/train-* > one 2> err
grep -o ': [A-Z][A-Za-z0-9]*  *[0-9,]*$' err
for j in 2 4; do lmtag -j $j "$s"/train-* | cmp - one; done
lmtag one | cmp - one
zstd -qdc "$s"/train-* > plain
sed 's/^{"domain":"[A-Za-z0-9]*",/{/' one | cmp - plain
lmtag --only ArXiv "$s"/train-* | grep -c '"RedPajamaArXiv"'
