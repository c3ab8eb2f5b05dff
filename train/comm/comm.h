/* comm.h -- several processes that train one model: what passes between them, as a table.
 *
 * Each process is a rank, 0 .. size-1. All ranks make the same calls in the same order; a call
 * returns when its work is done. Equal calls give equal bits, whoever comes first: sums over MPI
 * are made in float64 in the order of ranks, NCCL's in float32 in the order of its algorithm.
 *
 * A fault of one rank is no fault of the others, which would wait for it for ever: so each part of
 * the work that can fail on one rank alone ends with comm_agree. */
#ifndef TRAIN_COMM_COMM_H
#define TRAIN_COMM_COMM_H

#include <stddef.h>

#include "train/backend.h"

typedef struct comm comm;
struct comm {
    const char *name;
    int rank, size;
    int local, locals; /* this rank's number among those on its machine, and how many they are */
    size_t acc_bytes;  /* of the numbers that reduce_scatter adds */

    void (*close)(comm *c); /* after it no rank talks to another */

    /* ---- device memory: behind all that is queued there ---- */
    /* x[size, share]: part `rank` becomes the sum of all ranks' such parts, the others anything. */
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

/* Join the other ranks. COMM_AUTO: alone, unless the environment says that mpirun or srun started
 * several; then as the device needs it. LM_EUSAGE where this build cannot. close() ends it. */
LM_CHECKED int comm_open(comm **out, enum comm_kind kind);

/* Before the first call on device memory: it is that of `b`. *c may become another table, which
 * owns the first. LM_EUSAGE for a kind that does not reach this device. */
LM_CHECKED int comm_attach(comm **c, backend *b, enum comm_kind kind);

/* The one rank of a process that runs alone. Nothing to close. */
comm *comm_alone(void);

/* All ranks give how a part of their work ended, LM_OK or a fault with its message, and all get the
 * same: the fault of the lowest rank, and its message, which names the rank; LM_EINTR only where
 * nothing worse happened. Where all have the same fault each keeps its own message. */
LM_CHECKED int comm_agree(comm *c, int rc);

/* What MPI brings (comm_mpi.c, `make MPI=1`), and NCCL over it (cuda/comm_nccl.c, with CUDA=1): it
 * takes the host memory's part from `host`, which it owns from then on, and is for the device
 * that is current. */
LM_CHECKED int comm_mpi_open(comm **out);
LM_CHECKED int comm_nccl_open(comm **out, comm *host, backend *b);

#endif
