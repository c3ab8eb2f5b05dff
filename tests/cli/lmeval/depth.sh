# The needle is where it is said to be: in verse without full stops and in scripts with others the ends
# of lines and sentences count; true_depth says where it is, and a warning where that is far off.
. "$LM_SRC/tests/cli/model.bash"
for i in $(seq 80); do echo "the sea and the wind and the light"; done >verse.txt
for i in $(seq 120); do printf '\xe6\xb5\xb7\xe5\x92\x8c\xe9\xa3\x8e\xe3\x80\x82'; done >chinese.txt
for i in $(seq 120); do printf '\xe0\xa4\xb8\xe0\xa4\xae\xe0\xa4\xaf \xe0\xa5\xa4 '; done >hindi.txt
for i in $(seq 400); do printf 'the sea and '; done >flat.txt
for i in $(seq 80); do echo "The sea and the wind. The light."; done >prose.txt
show() { grep '"score":"repo"' | sed -E 's/.*"depth":([0-9]*),("ends":"any")?.*"position":([0-9]*),"true_depth":([0-9.]*).*/\1 \2 at \4/' | sort -n; }
needle() { lmeval needle -q -m stories --haystack "$@" -L 600 --depths 0,25,50,75,100 --new-tokens 1; }
near() { awk '{ d = $NF - $1; if (d < -5 || d > 5) print "far:", $0; else n++ } END { print n + 0, "near" }'; }
for f in prose verse chinese hindi flat; do
    echo "-- $f"
    needle $f.txt 2>said | show >places
    near <places
    grep -c any places || true
    sed 's/at length.*//' said
done
echo "-- as in the authors' code"
needle verse.txt --bos-quirk 2>said | show | sed 's/at [0-9.]*/at/' | head -n 3
sed 's/at length.*//' said
echo "-- passkey, ruler"
lmeval passkey -q -m stories -L 400 --trials 1 --depths 0,50,100 | grep -o '"depth":[0-9]*\|"true_depth":[0-9.]*' | paste - -
for f in prose verse chinese; do
    sed 's/\xe3\x80\x82/&\n/g' $f.txt >words.txt
    for i in 1 2 3; do lmeval ruler niah_single_2 -q -m stories --haystack words.txt --lengths 500 --samples 1 --seed $i --print-prompts; done |
        python3 -c '
import json, sys
at = []
for line in sys.stdin:
    p = json.loads(line)["prompt"]
    text = p[p.index("afterwards.") + 11:p.index("What is the special")]
    at.append(text.index("One of the special") / len(text))
print("at different places" if max(at) - min(at) > 0.1 else at)'
done
lmeval ruler niah_single_2 -q -m stories --haystack prose.txt --lengths 500 --samples 1 | grep -c '"true_depths":\['
