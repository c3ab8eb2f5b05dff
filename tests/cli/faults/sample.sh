# One in 499 of the faults of `make check-faults`: each kind of call of each program at least once.
case $LM_BUILD in *san) echo "not under a sanitizer"; exit 77 ;; esac
command -v "${CC:-gcc}" >/dev/null || { echo "no compiler"; exit 77; }
"$LM_SRC/tests/faults/run.sh" "${LM_BUILD#"$LM_SRC"/}" 499 >&2
