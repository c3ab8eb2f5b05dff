# SIGINT: exit status 130, complete records are kept, and the same command resumes.
. "$LM_SRC/tests/cli/lmtok/model.bash"
lmsynth -q --bytes 32M --file-bytes 2M --seed 4 -o c
lmtok -q -j 1 -m m.model -o whole.lmt c
for try in 1 2 3 4 5; do
    rm -f cut.lmt
    lmtok -j 1 -m m.model -o cut.lmt c 2> err &
    while [ "$(stat -c %s cut.lmt.partial 2> /dev/null || echo 0)" -lt 1000000 ] && [ ! -e cut.lmt ]; do
        sleep 0.01
    done
    kill -INT $! 2> /dev/null || true
    status=0
    wait $! || status=$?
    [ $status = 0 ] || break # it had finished: try again
    echo "try $try was too late" >&2
done
[ $status = 130 ]
grep -q 'interrupted (the same command resumes' err
[ ! -e cut.lmt ]
lmtok -v -j 1 -m m.model -o cut.lmt c 2> err
grep -q 'documents are from an earlier run' err
cmp whole.lmt cut.lmt
