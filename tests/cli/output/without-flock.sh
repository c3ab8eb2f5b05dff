# On a file system without flock (here: a library that makes it fail) all programs work, and a file
# under its final name is a whole file of one writer, also where two write it at once.
case $LM_BUILD in *san) echo "not under a sanitizer"; exit 77 ;; esac
command -v "${CC:-gcc}" > /dev/null || { echo "no compiler"; exit 77; }
cat > flock.c <<'C'
#include <errno.h>
#include <stdlib.h>
int flock(int fd, int how)
{
    (void)fd, (void)how;
    errno = atoi(getenv("FLOCK_ERROR"));
    return -1;
}
C
${CC:-gcc} -shared -fPIC -o flock.so flock.c
data=$LM_SRC/tests/data
awk -f "$data/stories.awk" -v json=1 -v seed=1 -v stories=400 > in.jsonl
without() { LD_PRELOAD=$PWD/flock.so FLOCK_ERROR=$error "$@"; }
left() { find "$@" -name '*.tmp' -o -name '*.partial' -o -name '*.lock'; }

lmimport -q llama2c "$data/stories66K.bin" "$data/tok512.bin" -o model
tok="lmtok -q -m model/tokenizer.model"
pack="lmpack -q -L 128 --labels"
train="lmtrain -q --model model -b 1K -n 2K -j 1 --data"
$tok -o st.lmt in.jsonl
lmplan -q -r cut-4k --tokens 30K --when-short shrink -L 128 --shards 6 -o plan.json st.lmt
lmmix -q -o mix.lmt plan.json st.lmt
$pack -o shards mix.lmt
$train shards -o trained

for error in 37 38 95; do # ENOLCK ENOSYS EOPNOTSUPP
    mkdir new && cd new
    cp -r ../model ../in.jsonl ../flock.so .
    without $tok -o st.lmt in.jsonl
    without lmplan -q -r cut-4k --tokens 30K --when-short shrink -L 128 --shards 6 -o plan.json st.lmt
    without lmmix -q -o mix.lmt plan.json st.lmt
    without $pack -o shards mix.lmt
    for f in st.lmt plan.json mix.lmt; do cmp ../$f $f; done
    diff -r ../shards shards
    [ $error != 37 ] || { without $train shards -o trained; cmp ../trained/model.safetensors trained/model.safetensors; }
    without $pack --force -o shards mix.lmt # again
    [ -z "$(left .)" ]

    # A part twice at once, and a whole run: every file is whole, and all are those of one run.
    rm -r shards
    pids=
    for k in 1 2 1; do without $pack --part $k/2 -o shards mix.lmt & pids="$pids $!"; done
    without $pack -o shards mix.lmt & pids="$pids $!"
    without lmmix -q -o two.lmt plan.json st.lmt & pids="$pids $!"
    without lmplan -q -r cut-4k --tokens 30K --when-short shrink -L 128 --shards 6 -o two.json st.lmt & pids="$pids $!"
    without lmplan -q -r cut-4k --tokens 30K --when-short shrink -L 128 --shards 6 -o two.json st.lmt & pids="$pids $!"
    for p in $pids; do wait $p; done
    diff -r ../shards shards
    cmp plan.json two.json
    cmp mix.lmt two.lmt
    [ -z "$(left .)" ]

    # Killed: the next run writes the same.
    rm -r shards
    mkfifo feed
    without $pack -o shards feed & pid=$!
    exec 3> feed
    head -c 30000 mix.lmt >&3
    while ! compgen -G 'shards/shard-*' > /dev/null; do sleep 0.02; done
    kill -9 $pid
    wait $pid || true
    exec 3>&-
    without $pack -o shards mix.lmt
    rm -f shards/*.longmix.*.tmp # those of the killed process are left to the user
    diff -r ../shards shards
    cd .. && rm -r new
done
