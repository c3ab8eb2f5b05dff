# Truncated, damaged and missing files: message with the name, exit status, no output file.
seq 2000 | sed 's/.*/{"text": "line & of some text", "domain": "C4"}/' > a.jsonl
zstd -q --check a.jsonl
gzip -k a.jsonl
fails() { # pattern, operands
    lmtag -o out.jsonl "${@:2}" 2> err && { echo "accepted: ${*:2}"; exit 1; } || [ $? = 1 ]
    grep -q "$1" err || { cat err; exit 1; }
    [ ! -e out.jsonl ] && [ ! -e out.jsonl.longmix.tmp ]
}
size=$(stat -c %s a.jsonl.zst)
for n in 0 1 3 4 10 $((size / 2)) $((size - 1)); do
    head -c $n a.jsonl.zst > cut.jsonl.zst
    fails 'cut.jsonl.zst: truncated' cut.jsonl.zst
    fails 'cut.jsonl.zst: truncated' a.jsonl cut.jsonl.zst
done
head -c 100 a.jsonl.gz > cut.jsonl.gz
fails 'cut.jsonl.gz: truncated: the compressed data breaks off at byte 100' cut.jsonl.gz
for at in $((size / 3)) $((size - 2)); do
    cp a.jsonl.zst flip.jsonl.zst
    byte=$(od -An -tu1 -j $at -N 1 a.jsonl.zst)
    printf "\\x$(printf %02x $((byte ^ 64)))" | dd of=flip.jsonl.zst bs=1 seek=$at conv=notrunc 2> /dev/null
    fails 'flip.jsonl.zst' flip.jsonl.zst
done
{ cat a.jsonl.zst; echo more; } > tail.jsonl.zst
fails "tail.jsonl.zst: damaged at compressed byte $size" tail.jsonl.zst
bzip2 -k a.jsonl
xz -k a.jsonl
for f in bz2 xz; do
    n=$(stat -c %s a.jsonl.$f)
    for k in 0 1 4 9 11 $((n / 2)) $((n - 1)); do
        head -c $k a.jsonl.$f > cut.jsonl.$f
        fails "cut.jsonl.$f: truncated" cut.jsonl.$f
    done
    { cat a.jsonl.$f; echo "more of it"; } > tail.jsonl.$f
    fails "tail.jsonl.$f: " tail.jsonl.$f
done
{ cat a.jsonl.gz; head -c 512 /dev/zero; echo more; } > tail.jsonl.gz
fails 'tail.jsonl.gz: damaged at compressed byte .*follows the padding' tail.jsonl.gz
fails 'absent.jsonl: cannot open: No such file' absent.jsonl
mkdir none
if lmtag none 2> err; then exit 1; else [ $? = 2 ]; fi
grep -q 'none: holds no files' err
if [ "$(id -u)" != 0 ]; then
    cp a.jsonl locked.jsonl; chmod 0 locked.jsonl
    fails 'locked.jsonl: cannot open: Permission denied' locked.jsonl
fi
