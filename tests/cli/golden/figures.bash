# To be sourced (figures.sh, tables.sh). `draw FORMAT` makes a file of that format for each kind of
# figure.
. "$LM_SRC/tests/cli/lmplot/lines.bash"
ppl_lines >ppl.jsonl
position_lines >position.jsonl
needle_lines >needle.jsonl
passkey_lines '0 100' >passkey.jsonl
passkey_lines random >random.jsonl
speed_lines >speed.jsonl
domain_lines >domains.jsonl
compare_lines >compare.jsonl
curve_lines >curve.jsonl
mkdir a b
log_lines >a/log.jsonl
log_lines | sed 's/"loss":/"loss":1/' >b/log.jsonl
lmsynth -q --bytes 100K | tee synth.jsonl | lmhist --json - >lengths.json
draw() {
    plot() { lmplot -q "${@:2}" -o "$1.$format"; }
    local format=$1
    plot ppl ppl ppl.jsonl --red-flag
    plot ppl-log ppl ppl.jsonl --log --max 30 --title 'A title & more'
    plot ppl-mode ppl ppl.jsonl --where attention=dca --by mode
    plot position position position.jsonl
    plot needle needle needle.jsonl
    plot needle-row needle needle.jsonl --layout an --score exact
    plot passkey passkey passkey.jsonl
    plot random passkey random.jsonl
    plot speed speed speed.jsonl
    plot domains domains domains.jsonl $(domain_names)
    plot baseline domains domains.jsonl $(domain_names) --baseline per-source
    plot compare domains compare.jsonl $(compare_names)
    plot compare-at domains --at compare.jsonl $(compare_names)
    plot curve curve curve.jsonl $(curve_names)
    plot loss loss a/log.jsonl b/log.jsonl
    plot overlay loss a/log.jsonl b/log.jsonl --overlay --smooth 3
    plot histogram histogram lengths.json
}
