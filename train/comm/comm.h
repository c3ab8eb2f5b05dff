/* comm.h -- collectives between the processes that train one model, as a table of functions.
 *
 * Each process is a rank, 0 .. size-1. All ranks make the same calls in the same order; a call
 * returns when its work is done. Equal calls give equal bits, whatever the timing: sums over MPI
 * are computed in float64 in the order of ranks, NCCL's in float32 in the order of its algorithm.
 *
 * After an error on one rank the others would deadlock in the next collective. So each part of the
 * work that can fail on one rank only ends with comm_agree. */
#ifndef TRAIN_COMM_COMM_H
#define TRAIN_COMM_COMM_H

#include <stddef.h>

#include "train/backend.h"

typedef struct comm comm;
struct comm {
    const char *name;
    int rank, size;
    int local, locals; /* rank and number of ranks on this machine */
    size_t acc_bytes;  /* of the numbers that reduce_scatter adds */

    void (*close)(comm *c); /* no communication afterwards */

    /* ---- device memory: behind all that is queued there ---- */
    /* x[size, share]: part `rank` becomes the sum over all ranks; other parts are undefined. */
    int (*reduce_scatter)(comm *c, bk_acc *x, size_t share);
    /* x[size][bytes]: part r of rank r becomes part r of all. */
    int (*all_gather)(comm *c, void *x, size_t bytes);

    /* ---- host memory ---- */
    /* x[n] becomes the sum over all ranks. */
    int (*sum)(comm *c, double *x, size_t n);
    /* x of rank `from` becomes x of all. */
    int (*broadcast)(comm *c, void *x, size_t bytes, int from);
    /* x of rank `from` becomes x of rank `to`; the others, and all when from = to, do nothing. */
    int (*send)(comm *c, void *x, size_t bytes, int from, int to);
};

enum comm_kind { COMM_AUTO, COMM_NONE, COMM_MPI, COMM_NCCL };

/* Connect to the other ranks. COMM_AUTO: one rank, unless the environment shows that mpirun or srun
 * started several; then what the device needs. LM_EUSAGE where this build lacks it. */
LM_CHECKED int comm_open(comm **out, enum comm_kind kind);

/* Use device memory of `b`; before the first call on it. *c may become another table, which owns
 * the first. LM_EUSAGE for a kind that cannot access this device. */
LM_CHECKED int comm_attach(comm **c, backend *b, enum comm_kind kind);

/* The only rank of a single process. Nothing to close. */
comm *comm_alone(void);

/* Every rank passes its result, LM_OK or an error with its message, and all get the same: the error
 * of the lowest rank with its message, which names the rank; LM_EINTR only where there is no other
 * error. Where all have the same error each keeps its own message. */
LM_CHECKED int comm_agree(comm *c, int rc);

/* MPI (mpi.c, `make MPI=1`), and NCCL over it (cuda/comm_nccl.c, with CUDA=1), which uses `host`
 * for host memory, owns it from then on, and is for the current device. */
LM_CHECKED int comm_mpi_open(comm **out);
LM_CHECKED int comm_nccl_open(comm **out, comm *host, backend *b);

#endif
