# Two and three processes train one model over MPI: tests/mpi/ranks.c, and lmtrain as a user starts
# it.
[ -x "$LM_BUILD/mpi/ranks" ] || { echo "this build has no MPI tests (mpicc, or a sanitizer)" >&2; exit 77; }
command -v mpirun >/dev/null || { echo "mpirun is absent" >&2; exit 77; }
# Tests in a container run as root; the ranks share the cores.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_plm_rsh_agent=/bin/false
ranks() { local n=$1; shift; timeout 200 mpirun -q -n "$n" --oversubscribe --bind-to none "$@"; }
# Open MPI does not start where there is no network interface, not even that of the machine itself.
if ! mpirun -q -n 1 true >said 2>&1 && grep -Eq 'network interface|listener thread failed' said; then
    echo "mpirun does not start: there is no network interface" >&2
    exit 77
fi

"$LM_BUILD/mpi/ranks" >/dev/null
ranks 3 "$LM_BUILD/mpi/ranks" talk >/dev/null && echo "three ranks talk"
ranks 2 "$LM_BUILD/mpi/ranks" train >/dev/null && echo "two ranks train as one does"
ranks 2 "$LM_BUILD/mpi/ranks" resume >/dev/null && echo "and go on"

# lmtrain: one rank reports and writes; a stop of one rank stops all.
train=(--init shape.json --data shards -o out -b 1K -n 3K --micro-batch 1 -j 1)
ranks 2 "$LM_BUILD/mpi/lmtrain" "${train[@]}" --save-every 1K 2>&1
ls out
status=0; ranks 2 "$LM_BUILD/mpi/lmtrain" "${train[@]}" >said 2>&1 || status=$?
grep lmtrain: said; echo "exit $status"
ranks 2 "$LM_BUILD/mpi/lmtrain" "${train[@]}" --dry-run >said; head -n 1 said
# A disk that is full in the middle of the optimizer's state, half of which the other rank sends.
# (MPI itself needs files of some MiB.)
cat >wide.json <<JSON
{ "model_type": "llama", "hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 2,
  "num_attention_heads": 8, "vocab_size": 48 }
JSON
status=0
ranks 2 bash -c "trap '' XFSZ; ulimit -f 32768; exec $LM_BUILD/mpi/lmtrain --init wide.json --data shards \
    -o full -b 256 -n 256 -j 1" >said 2>&1 || status=$?
grep -o 'rank 0: .*optimizer.safetensors.*' said; echo "exit $status"; ls full | grep -v started.json
# Several processes are refused in a build without MPI, or if they do not find each other.
(SLURM_STEP_NUM_TASKS=2 "$LM_BUILD/mpi/lmtrain" "${train[@]}" 2>&1 || true) | grep -o "2 processes were.*alone"
