# Files that are damaged or ask for what is not supported: the message names the file and the key, tensor or byte, and
# the directory is not made.
command -v python3 >/dev/null || { echo "python3 is absent"; exit 77; }
python3 "$LM_SRC/tests/cli/lmimport/gguf.py" broken files
cd files
for file in *.gguf; do
    status=0
    lmimport -q gguf $file -o out 2>&1 || status=$?
    [ $status = 1 ] && [ ! -e out ] || echo "$file: exit $status"
done
cd ..
echo "-- cut short, at every length"
python3 - "$LM_SRC/tests/cli/lmimport" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import gguf
f = gguf.byte_level("qwen2", extra=())
data = f.bytes()
start = len(data) - sum(-len(c) % 32 + len(c) for _, _, c in f.tensors.values())
lengths = [*range(0, 700, 13), *range(700, start, 331), *range(start - 5, start + 5), *range(start, len(data), 1777), len(data) - 1]
for n in lengths: open(f"cut-{n}.gguf", "wb").write(data[:n])
open("whole.gguf", "wb").write(data)
PY
lmimport -q gguf whole.gguf -o whole
for file in cut-*.gguf; do
    status=0
    lmimport -q gguf $file -o out 2>said || status=$?
    [ $status = 1 ] && [ ! -e out ] && grep -q "^lmimport: $file: .*" said && grep -q 'fit into\|cut short' said ||
        { echo "$file: exit $status"; cat said; }
done
echo "-- what lies there stays"
cp -r whole kept
lmimport -q gguf cut-0.gguf -o kept 2>/dev/null || true
diff -r whole kept
lmimport -q gguf nowhere.gguf -o out 2>&1 || echo "exit $?"
mkdir folder.gguf
lmimport -q gguf folder.gguf -o out 2>&1 || echo "exit $?"
echo "-- parts of a split model"
lmimport -q llama2c "$LM_SRC/tests/data/stories66K.bin" "$LM_SRC/tests/data/tok512.bin" -o stories
python3 "$LM_SRC/tests/cli/lmimport/gguf.py" split stories m
lmimport -q gguf m-00002-of-00003.gguf -o out 2>&1 || echo "exit $?"
cp m-00002-of-00003.gguf m-00003-of-00003.gguf
lmimport -q gguf m-00001-of-00003.gguf -o out 2>&1 || echo "exit $?"
rm m-00003-of-00003.gguf
lmimport -q gguf m-00001-of-00003.gguf -o out 2>&1 || echo "exit $?"
[ ! -e out ]
