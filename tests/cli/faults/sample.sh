# A sample of `make check-faults`: each kind of call of each program at least once, of allocations one in 300.
case $LM_BUILD in *san|*/fuzz|*/sanitize|*/coverage) echo "not in a build with a sanitizer"; exit 77 ;; esac
command -v "${CC:-gcc}" >/dev/null || { echo "no compiler"; exit 77; }
"$LM_SRC/tests/faults/run.sh" "$LM_BUILD" 299 | grep -v "^done\|^  " >&2
