# Refusals and their exit status.
try() { local status=0; "$@" 2>&1 >/dev/null | sed 's/^/  /' || status=$?; echo "$status: $*"; }
try lmsynth
try lmsynth --bytes 10
try lmsynth --bytes 1M --level 99
mkdir used && touch used/file
try lmsynth --bytes 1M -o used
lmsynth -q --bytes 100K --force -o used && ls used
touch plain
try lmsynth --bytes 1M -o plain
echo '{"domains":[{"name":"a","share":1,"median":10,"sigma":1,"style":"poem"}]}' > laws.json
try lmsynth --bytes 1M --laws laws.json
try lmsynth --bytes 1M --laws absent.json
try lmsynth --bytes 1M operand
# a closed pipe
set +e
lmsynth --bytes 10M | head -c 100 >/dev/null
echo "${PIPESTATUS[0]}: lmsynth --bytes 10M | head"
