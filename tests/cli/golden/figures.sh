# Each figure of version 0.1.0 as SVG. Glyphs are drawn as paths, so the bytes depend on the
# versions of cairo and of the font: they are compared where these are those of Debian 12 (package
# fonts-dejavu-core).
. "$LM_SRC/tests/cli/golden/figures.bash"
stamp=$( (pkg-config --modversion cairo && cat "$(fc-match -f '%{file}' sans-serif)" "$(fc-match -f '%{file}' sans-serif:bold)") |
    sha256sum | cut -c 1-8) || true
[ "$stamp" = 1f0d229c ] || { echo "cairo or its font has another version than that of the golden file ($stamp)" >&2; exit 77; }
draw svg
lmhist -q --plot lmhist.svg synth.jsonl >/dev/null
python3 "$LM_SRC/tests/cli/golden/sum.py" ./*.svg
