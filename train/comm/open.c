/* The kinds of communication of this build: compiled for each set of them (the Makefile's MPI=1 and
 * CUDA=1). */
#include <stdlib.h>

#include "train/comm/comm.h"

/* The number of processes that mpirun or srun started; 1: this one only. */
static long started(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE",
                                         "SLURM_STEP_NUM_TASKS" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        long n = value ? strtol(value, NULL, 10) : 0;
        if (n > 1) return n;
    }
    return 1;
}

int comm_open(comm **out, enum comm_kind kind)
{
    long n = started();
    *out = comm_alone();
    if (kind == COMM_NONE || (kind == COMM_AUTO && n == 1)) return LM_OK;
#ifdef LM_MPI
    int rc = comm_mpi_open(out);
    if (!rc && kind == COMM_AUTO && (*out)->size == 1) {
        (*out)->close(*out);
        *out = comm_alone();
        rc = lm_fail(LM_EUSAGE,
                     "%ld processes were started to train together, but MPI finds this "
                     "one alone (srun --mpi=list shows what it can)",
                     n);
    }
    return rc;
#else
    if (kind == COMM_AUTO)
        return lm_fail(LM_EUSAGE,
                       "%ld processes were started to train together, but this program "
                       "was built without MPI (make MPI=1); --comm none lets each run for itself",
                       n);
    return lm_fail(LM_EUSAGE, "--comm %s: this program was built without MPI (make MPI=1)",
                   kind == COMM_MPI ? "mpi" : "nccl");
#endif
}

int comm_attach(comm **c, backend *b, enum comm_kind kind)
{
    if (kind == COMM_NCCL && b->unified)
        return lm_fail(LM_EUSAGE, "--comm nccl is for GPUs, not for --backend %s", b->name);
    if (kind == COMM_MPI && !b->unified)
        return lm_fail(LM_EUSAGE, "--comm mpi is for memory of the host; --backend %s needs nccl",
                       b->name);
    if (*c == comm_alone()) return LM_OK;
    (*c)->acc_bytes = b->acc_bytes;
    if (b->unified) return LM_OK;
#if defined(LM_MPI) && defined(LM_CUDA)
    comm *host = *c;
    return comm_nccl_open(c, host, b);
#else
    return lm_fail(LM_EUSAGE, "GPUs that train together need NCCL and MPI: make CUDA=1 MPI=1");
#endif
}
