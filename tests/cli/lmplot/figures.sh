# Every figure in every format: complete files, reproducible SVG; and the elements of a heat map.
. "$LM_SRC/tests/cli/lmplot/lines.bash"
ppl_lines > ppl.jsonl
position_lines > position.jsonl
needle_lines > needle.jsonl
passkey_lines '0 100' > passkey.jsonl
passkey_lines random > random.jsonl
speed_lines > speed.jsonl
domain_lines > domains.jsonl
curve_lines > curve.jsonl
mkdir a b && log_lines > a/log.jsonl && log_lines | sed 's/"loss":/"loss":1/' > b/log.jsonl
lmsynth -q --bytes 100K | lmhist --json - > lengths.json
try() { # NAME ARGUMENTS
    local name=$1
    shift
    lmplot -q "$@" -o "$name.svg"
    lmplot -q "$@" -o "$name.again.svg"
    cmp "$name.svg" "$name.again.svg"
    tail -c 7 "$name.svg" | grep -q '</svg>'
    ! grep -qE 'nan|inf' <(sed 's/id="[^"]*"//g' "$name.svg") || echo "$name.svg: not a number"
    lmplot -q "$@" -o "$name.png" && head -c 4 "$name.png" | tail -c 3
    lmplot -q "$@" -o "$name.pdf" && head -c 4 "$name.pdf"
    echo " $name"
}
try ppl ppl ppl.jsonl --red-flag
try max ppl ppl.jsonl --max 2.5 --title 'A title & more'
try log ppl ppl.jsonl --log
try position position position.jsonl
try needle needle needle.jsonl
try row needle needle.jsonl --layout an --score exact
try passkey passkey passkey.jsonl
try random passkey random.jsonl
try speed speed speed.jsonl
try domains domains domains.jsonl $(domain_names)
compare_lines > compare.jsonl
try compare domains compare.jsonl $(compare_names)
try curve curve curve.jsonl $(curve_names)
try loss loss a/log.jsonl b/log.jsonl
try overlay loss a/log.jsonl b/log.jsonl --overlay
try histogram histogram lengths.json
lmsynth -q --bytes 100K > lengths.jsonl
lmhist -q --plot direct.svg lengths.jsonl > /dev/null
cmp direct.svg <(lmplot histogram lengths.json --name lengths.json=lengths.jsonl -o same.svg && cat same.svg)

# The needle's grid: six cells near the ceiling, two at 0 and one hatched, in a grid of 4 + 4 dashed
# lines; the mark of the trained length, white on dark.
count() { echo "$(grep -o "$1" needle.svg | wc -l) $2"; }
count 'fill:rgb(19.222745%,82.295686%,55.712941%)' 'cells at 0.917'
count 'fill:rgb(94.117647%,28.627451%,43.137255%)' 'cells at 0'
count 'clip-path="url' 'hatched'
count 'stroke-dasharray:2,1.5' 'dashed grey lines'
count 'stroke:rgb(100%,100%,100%);stroke-opacity:1;stroke-dasharray:9,5' 'white dashed line'
