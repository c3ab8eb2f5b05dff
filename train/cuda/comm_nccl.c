/* Ranks over NCCL, for GPU memory. Host memory, NCCL's id and errors are exchanged by MPI's table.
 * NCCL reduces in float32, in the order of its algorithm: bit-identical for the same ranks on the same
 * machines. */
#include <cuda_runtime_api.h>
#include <nccl.h>
#include <stdlib.h>

#include "train/comm/comm.h"

typedef struct comm_nccl {
    comm table; /* first: a comm * is a comm_nccl * */
    comm *host;
    backend *b;
    ncclComm_t ranks;
    cudaStream_t stream;
} comm_nccl;

static comm *host_of(comm *c) { return ((comm_nccl *)c)->host; }

static int check_nccl(ncclResult_t r, const char *what)
{
    if (r == ncclSuccess) return LM_OK;
    return lm_fail(LM_EIO, "NCCL: %s: %s", what, ncclGetErrorString(r));
}

static int check_cuda(cudaError_t e, const char *what)
{
    if (e == cudaSuccess) return LM_OK;
    return lm_fail(LM_EIO, "CUDA: %s: %s", what, cudaGetErrorString(e));
}

static void close_nccl(comm *c)
{
    comm_nccl *n = (comm_nccl *)c;
    if (n->ranks) ncclCommDestroy(n->ranks);
    if (n->stream) cudaStreamDestroy(n->stream);
    n->host->close(n->host);
    free(n);
}

/* Wait for this rank's device; after an error on one rank none starts. */
static int ready(comm_nccl *n) { return comm_agree(n->host, n->b->finish(n->b)); }

/* Wait for what was queued, on all ranks. */
static int done(comm_nccl *n, int rc, const char *what)
{
    if (!rc) rc = check_cuda(cudaStreamSynchronize(n->stream), what);
    return comm_agree(n->host, rc);
}

static int reduce_scatter_nccl(comm *c, bk_acc *x, size_t share)
{
    comm_nccl *n = (comm_nccl *)c;
    int rc = ready(n);
    if (rc) return rc;
    float *all = (float *)x;
    rc = check_nccl(ncclReduceScatter(all, all + (size_t)c->rank * share, share, ncclFloat32,
                                      ncclSum, n->ranks, n->stream),
                    "reduce-scatter");
    return done(n, rc, "reduce-scatter");
}

static int all_gather_nccl(comm *c, void *x, size_t bytes)
{
    comm_nccl *n = (comm_nccl *)c;
    int rc = ready(n);
    if (rc) return rc;
    rc = check_nccl(
        ncclAllGather((char *)x + (size_t)c->rank * bytes, x, bytes, ncclInt8, n->ranks, n->stream),
        "all-gather");
    return done(n, rc, "all-gather");
}

static int sum_nccl(comm *c, double *x, size_t n) { return host_of(c)->sum(host_of(c), x, n); }

static int broadcast_nccl(comm *c, void *x, size_t bytes, int from)
{
    return host_of(c)->broadcast(host_of(c), x, bytes, from);
}

static int send_nccl(comm *c, void *x, size_t bytes, int from, int to)
{
    return host_of(c)->send(host_of(c), x, bytes, from, to);
}

/* Broadcast rank 0's id and connect. */
static int meet(comm_nccl *n)
{
    ncclUniqueId id = { { 0 } };
    comm *host = n->host;
    int rc = host->rank ? LM_OK : check_nccl(ncclGetUniqueId(&id), "unique id");
    if (!rc)
        rc = check_cuda(cudaStreamCreateWithFlags(&n->stream, cudaStreamNonBlocking), "stream");
    rc = comm_agree(host, rc);
    if (!rc) rc = host->broadcast(host, &id, sizeof id, 0);
    if (rc) return rc;
    return comm_agree(host, check_nccl(ncclCommInitRank(&n->ranks, host->size, id, host->rank),
                                       "initializing the communicator"));
}

int comm_nccl_open(comm **out, comm *host, backend *b)
{
    comm_nccl *n = calloc(1, sizeof *n);
    int rc = comm_agree(host, n ? LM_OK : lm_fail_nomem(sizeof *n));
    if (rc) {
        free(n);
        return rc;
    }
    n->table = *host;
    n->table.name = "nccl";
    n->table.close = close_nccl;
    n->table.reduce_scatter = reduce_scatter_nccl;
    n->table.all_gather = all_gather_nccl;
    n->table.sum = sum_nccl;
    n->table.broadcast = broadcast_nccl;
    n->table.send = send_nccl;
    n->host = host;
    n->b = b;
    rc = meet(n);
    *out = &n->table; /* whose close() also closes the host's */
    return rc;
}
