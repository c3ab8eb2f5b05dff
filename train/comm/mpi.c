/* Ranks over MPI, for devices whose memory is host memory, and for the host's part of NCCL. MPI
 * itself ends all ranks when one dies. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <mpi.h>

#include "train/comm/comm.h"
#include "train/minmax.h"

enum { PIECE = 1 << 20 }; /* elements per rank that are added at a time */

typedef struct comm_mpi {
    comm table;            /* first: a comm * is a comm_mpi * */
    char *parts;           /* [size][PIECE] what the others sent */
    MPI_Request *requests; /* [2 size] */
} comm_mpi;

static void close_mpi(comm *c)
{
    comm_mpi *m = (comm_mpi *)c;
    MPI_Finalize();
    free(m->parts);
    free(m->requests);
    free(m);
}

static int failed(int code)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int n = 0;
    MPI_Error_string(code, text, &n);
    return lm_fail(LM_EIO, "MPI: %s", text);
}

/* In the order of ranks, whatever the number type. */
static void add_parts(double *sum, const char *part, size_t width, size_t n)
{
    if (width == sizeof(float))
        for (size_t i = 0; i < n; i++) sum[i] += (double)((const float *)part)[i];
    else
        for (size_t i = 0; i < n; i++) sum[i] += ((const double *)part)[i];
}

static void take_sum(char *x, const double *sum, size_t width, size_t n)
{
    if (width == sizeof(float))
        for (size_t i = 0; i < n; i++) ((float *)x)[i] = (float)sum[i];
    else memcpy(x, sum, n * sizeof *sum);
}

/* One piece of each part: every rank sends that of part r to rank r and adds what it receives. */
static int reduce_piece(comm_mpi *m, char *x, size_t share, size_t at, size_t n, double *sum)
{
    const comm *c = &m->table;
    size_t width = c->acc_bytes;
    int used = 0, rc = MPI_SUCCESS;
    for (int r = 0; rc == MPI_SUCCESS && r < c->size; r++) {
        if (r == c->rank) continue;
        rc = MPI_Irecv(m->parts + (size_t)r * PIECE * width, (int)(n * width), MPI_BYTE, r, 0,
                       MPI_COMM_WORLD, &m->requests[used++]);
        if (rc == MPI_SUCCESS)
            rc = MPI_Isend(x + ((size_t)r * share + at) * width, (int)(n * width), MPI_BYTE, r, 0,
                           MPI_COMM_WORLD, &m->requests[used++]);
    }
    if (rc == MPI_SUCCESS) rc = MPI_Waitall(used, m->requests, MPI_STATUSES_IGNORE);
    if (rc != MPI_SUCCESS) return failed(rc);
    char *mine = x + ((size_t)c->rank * share + at) * width;
    memset(sum, 0, n * sizeof *sum);
    for (int r = 0; r < c->size; r++)
        add_parts(sum, r == c->rank ? mine : m->parts + (size_t)r * PIECE * width, width, n);
    take_sum(mine, sum, width, n);
    return LM_OK;
}

static int reduce_scatter_mpi(comm *c, bk_acc *x, size_t share)
{
    comm_mpi *m = (comm_mpi *)c;
    size_t bytes = (size_t)c->size * PIECE * c->acc_bytes;
    double *sum = malloc(PIECE * sizeof *sum);
    if (!m->parts) m->parts = malloc(bytes);
    int rc = comm_agree(c, sum && m->parts ? LM_OK : lm_fail_nomem(bytes));
    for (size_t at = 0; !rc && at < share; at += PIECE)
        rc = reduce_piece(m, (char *)x, share, at, size_min(PIECE, share - at), sum);
    free(sum);
    return rc;
}

static int broadcast_mpi(comm *c, void *x, size_t bytes, int from)
{
    (void)c;
    int rc = MPI_SUCCESS;
    for (size_t at = 0, n; rc == MPI_SUCCESS && at < bytes; at += n) {
        n = size_min((size_t)1 << 30, bytes - at);
        rc = MPI_Bcast((char *)x + at, (int)n, MPI_BYTE, from, MPI_COMM_WORLD);
    }
    return rc == MPI_SUCCESS ? LM_OK : failed(rc);
}

static int all_gather_mpi(comm *c, void *x, size_t bytes)
{
    int rc = LM_OK;
    for (int r = 0; !rc && r < c->size; r++)
        rc = broadcast_mpi(c, (char *)x + (size_t)r * bytes, bytes, r);
    return rc;
}

static int sum_mpi(comm *c, double *x, size_t n)
{
    if (n > INT_MAX) return lm_fail(LM_EUSAGE, "a sum of %zu numbers", n);
    double *all = malloc((size_t)c->size * n * sizeof *all + 1);
    if (!all) return lm_fail_nomem((size_t)c->size * n * sizeof *all);
    int rc = MPI_Allgather(x, (int)n, MPI_DOUBLE, all, (int)n, MPI_DOUBLE, MPI_COMM_WORLD);
    memset(x, 0, n * sizeof *x);
    for (int r = 0; rc == MPI_SUCCESS && r < c->size; r++)
        for (size_t i = 0; i < n; i++) x[i] += all[(size_t)r * n + i];
    free(all);
    return rc == MPI_SUCCESS ? LM_OK : failed(rc);
}

static int send_mpi(comm *c, void *x, size_t bytes, int from, int to)
{
    int rc = MPI_SUCCESS;
    if (from == to || (c->rank != from && c->rank != to)) return LM_OK;
    for (size_t at = 0, n; rc == MPI_SUCCESS && at < bytes; at += n) {
        n = size_min((size_t)1 << 30, bytes - at);
        rc = c->rank == from ? MPI_Send((char *)x + at, (int)n, MPI_BYTE, to, 1, MPI_COMM_WORLD)
                             : MPI_Recv((char *)x + at, (int)n, MPI_BYTE, from, 1, MPI_COMM_WORLD,
                                        MPI_STATUS_IGNORE);
    }
    return rc == MPI_SUCCESS ? LM_OK : failed(rc);
}

/* This rank among those that share its memory. */
static int find_locals(comm *c)
{
    MPI_Comm here;
    int rc = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
    if (rc == MPI_SUCCESS) rc = MPI_Comm_rank(here, &c->local);
    if (rc == MPI_SUCCESS) rc = MPI_Comm_size(here, &c->locals);
    if (rc == MPI_SUCCESS) rc = MPI_Comm_free(&here);
    return rc;
}

int comm_mpi_open(comm **out)
{
    comm_mpi *m = calloc(1, sizeof *m);
    if (!m) return lm_fail_nomem(sizeof *m);
    comm *c = &m->table;
    *c = (comm){ .name = "mpi",
                 .close = close_mpi,
                 .reduce_scatter = reduce_scatter_mpi,
                 .all_gather = all_gather_mpi,
                 .sum = sum_mpi,
                 .broadcast = broadcast_mpi,
                 .send = send_mpi };
    int threads = 0, rc = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &threads);
    if (rc == MPI_SUCCESS) rc = MPI_Comm_rank(MPI_COMM_WORLD, &c->rank);
    if (rc == MPI_SUCCESS) rc = MPI_Comm_size(MPI_COMM_WORLD, &c->size);
    if (rc == MPI_SUCCESS) rc = find_locals(c);
    if (rc == MPI_SUCCESS) m->requests = malloc(2 * (size_t)c->size * sizeof *m->requests);
    if (rc == MPI_SUCCESS && m->requests) {
        *out = c;
        return LM_OK;
    }
    free(m->requests);
    free(m);
    return rc == MPI_SUCCESS ? lm_fail_nomem(sizeof *m) : failed(rc);
}
