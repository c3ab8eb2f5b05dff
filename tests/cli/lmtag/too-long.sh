# A line over 1 GiB is refused, with its position.
# serial: it takes more than 1 GiB of memory
case $LM_BUILD in */build) ;; *) echo "not under a sanitizer: it needs a GiB" >&2; exit 77 ;; esac
[ "$(awk '/MemAvailable/ { print $2 }' /proc/meminfo)" -gt 3000000 ] || { echo "little memory" >&2; exit 77; }
{ printf '{"text":"short"}\n{"text":"'; head -c 1200000000 /dev/zero | tr '\0' a; } | zstd -q1 > huge.jsonl.zst
lmtag -o out.jsonl huge.jsonl.zst 2> err && exit 1 || [ $? = 1 ]
grep -qx 'lmtag: huge.jsonl.zst:2: byte 17: a line longer than 1 GiB: is this JSONL?' err
[ ! -e out.jsonl ]
