/* Embedding and its gradient, and the loss. */
#include <stdlib.h>
#include <string.h>

#include "train/cuda/kernels.cuh"

/* ---- embedding ------------------------------------------------------------------------- */

__global__ static void embed_rows(bf16 *x, const bf16 *table, const int32_t *ids, int64_t dim)
{
    int64_t t = blockIdx.x, from = (int64_t)ids[t] * dim;
    for (int64_t c = threadIdx.x; c < dim; c += THREADS) x[t * dim + c] = table[from + c];
}

static void embed(backend *b, bk_act *x, const bk_act *table, const bk_int *ids, size_t n,
                  size_t dim)
{
    if (n)
        LAUNCH(cuda_of(b), embed_rows, (unsigned)n, THREADS, 0, act(x), act(table), ints(ids),
               (int64_t)dim);
}

/* Tokens, grouped by their id: group i is tokens order[starts[i]] .. order[starts[i+1] - 1], in
 * their order in the text. A block adds a piece of a group's row. */
__global__ static void embed_back_groups(float *dtable, const bf16 *dx, const int32_t *ids,
                                         const int32_t *order, const int32_t *starts, int64_t dim)
{
    int64_t c = (int64_t)blockIdx.y * THREADS + threadIdx.x;
    int32_t from = starts[blockIdx.x], to = starts[blockIdx.x + 1];
    if (c >= dim) return;
    float *row = dtable + (int64_t)ids[order[from]] * dim;
    float sum = row[c];
    for (int32_t i = from; i < to; i++) sum += up(dx[(int64_t)order[i] * dim + c]);
    row[c] = sum;
}

typedef struct use {
    int32_t id, token;
} use;

static int by_id(const void *a, const void *b)
{
    const use *x = (const use *)a, *y = (const use *)b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return x->token < y->token ? -1 : x->token > y->token;
}

/* Groups on the host: `order` and, from order + n on, `starts`. The number of groups. */
static size_t group(int32_t *order, use *uses, size_t n)
{
    size_t groups = 0;
    qsort(uses, n, sizeof *uses, by_id);
    for (size_t i = 0; i < n; i++) {
        order[i] = uses[i].token;
        if (!i || uses[i].id != uses[i - 1].id) order[n + groups++] = (int32_t)i;
    }
    order[n + groups] = (int32_t)n;
    return groups;
}

/* Tokens may share an id, and their sum must have one order: the host sorts the ids, once per
 * step. */
static void embed_back(backend *b, bk_acc *dtable, const bk_act *dx, const bk_int *ids, size_t n,
                       size_t dim)
{
    cuda_backend *c = cuda_of(b);
    size_t bytes = (2 * n + 1) * sizeof(int32_t);
    int32_t *host = (int32_t *)malloc(bytes), *there = (int32_t *)cuda_take(c, &c->scratch, bytes);
    use *uses = (use *)malloc((n ? n : 1) * sizeof *uses);
    if (!host || !uses) cuda_fault(c, LM_ENOMEM, "out of memory: ids of a batch");
    if (n && host && uses && there) {
        b->get_acc(b, (float *)host, (const bk_acc *)ids, n);
        for (size_t i = 0; i < n; i++) {
            uses[i].id = host[i];
            uses[i].token = (int32_t)i;
        }
        size_t groups = group(host, uses, n);
        b->put_int(b, (bk_int *)there, host, n + groups + 1);
        dim3 grid((unsigned)groups, (unsigned)((dim + THREADS - 1) / THREADS));
        LAUNCH(c, embed_back_groups, grid, THREADS, 0, acc(dtable), act(dx), ints(ids), there,
               there + n, (int64_t)dim);
    }
    free(uses);
    free(host);
}

/* ---- loss ------------------------------------------------------------------------------ */

/* One block per row of logits. */
__global__ static void cross_entropy_rows(float *loss, bf16 *logits, const int32_t *target,
                                          int64_t vocab, float scale, bool grad)
{
    __shared__ float room[WARPS];
    int64_t t = blockIdx.x;
    int32_t want = target[t];
    bf16 *row = logits + t * vocab;
    if (want < 0) {
        if (threadIdx.x == 0) loss[t] = 0;
        for (int64_t c = threadIdx.x; grad && c < vocab; c += THREADS) row[c] = down(0);
        return;
    }
    float top = -INFINITY, sum = 0, right = up(row[want]);
    for (int64_t c = threadIdx.x; c < vocab; c += THREADS) top = fmaxf(top, up(row[c]));
    top = block_max(top, room);
    for (int64_t c = threadIdx.x; c < vocab; c += THREADS) sum += expf(up(row[c]) - top);
    sum = block_sum(sum, room);
    if (threadIdx.x == 0) loss[t] = logf(sum) + top - right;
    if (!grad) return;
    for (int64_t c = threadIdx.x; c < vocab; c += THREADS) {
        float p = expf(up(row[c]) - top) / sum;
        row[c] = down(scale * (c == want ? p - 1 : p));
    }
}

static void cross_entropy(backend *b, bk_acc *loss, bk_act *logits, const bk_int *target, size_t n,
                          size_t vocab, double scale, bool grad)
{
    if (n)
        LAUNCH(cuda_of(b), cross_entropy_rows, (unsigned)n, THREADS, 0, acc(loss), act(logits),
               ints(target), (int64_t)vocab, (float)scale, grad);
}

void cuda_loss(backend *b)
{
    b->embed = embed;
    b->embed_back = embed_back;
    b->cross_entropy = cross_entropy;
}
