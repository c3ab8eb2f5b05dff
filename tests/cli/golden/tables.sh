# Each figure of version 0.1.0 as a table, from hand-made result lines.
. "$LM_SRC/tests/cli/golden/figures.bash"
draw md
draw tsv
python3 "$LM_SRC/tests/cli/golden/sum.py" ./*.md ./*.tsv
