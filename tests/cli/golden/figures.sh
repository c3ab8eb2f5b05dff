# Each figure of version 0.1.0 as SVG. Letters are drawn as shapes, so the bytes depend on cairo and on the
# font too: they are compared where these are the ones of Debian 12 with its package fonts-dejavu-core.
. "$LM_SRC/tests/cli/golden/figures.bash"
stamp=$( (pkg-config --modversion cairo && cat "$(fc-match -f '%{file}' sans-serif)" "$(fc-match -f '%{file}' sans-serif:bold)") |
    sha256sum | cut -c 1-8) || true
[ "$stamp" = 1f0d229c ] || { echo "cairo or the font is another one (their stamp is $stamp)" >&2; exit 77; }
draw svg
lmhist -q --plot lmhist.svg synth.jsonl >/dev/null
python3 "$LM_SRC/tests/cli/golden/sum.py" ./*.svg
