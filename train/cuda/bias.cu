/* Biases of products: bfloat16 in memory, float32 arithmetic. */
#include "train/cuda/kernels.cuh"

__global__ static void bias_one(bf16 *y, const bf16 *bias, int64_t all, int64_t out)
{
    for (int64_t i = thread_index(); i < all; i += thread_count())
        y[i] = down(up(y[i]) + up(bias[i % out]));
}

/* Rows of whole groups of eight. */
__global__ static void bias_eight(eight *y, const eight *bias, int64_t all, int64_t out)
{
    for (int64_t i = thread_index(); i < all; i += thread_count()) {
        eight v = y[i], add = bias[i % out];
        for (int j = 0; j < 8; j++) v.v[j] = down(up(v.v[j]) + up(add.v[j]));
        y[i] = v;
    }
}

static void bias(backend *b, bk_act *y, const bk_act *values, size_t n, size_t out)
{
    cuda_backend *c = cuda_of(b);
    int64_t all = (int64_t)(n * out);
    if (!all) return;
    if (out % 8 == 0 && aligned(y, values, y, values))
        LAUNCH(c, bias_eight, blocks_for(all / 8), THREADS, 0, (eight *)y, (const eight *)values,
               all / 8, (int64_t)(out / 8));
    else LAUNCH(c, bias_one, blocks_for(all), THREADS, 0, act(y), act(values), all, (int64_t)out);
}

enum { COLUMNS = 128, WINDOW = 64 }; /* columns of a block; blocks of tokens in one go */

/* part[block of tokens, out]: a thread sums a column of BK_BLOCK tokens in their order. */
__global__ static void bias_parts(float *part, const bf16 *dy, int64_t n, int64_t out)
{
    int64_t c = (int64_t)blockIdx.x * COLUMNS + threadIdx.x;
    int64_t from = (int64_t)blockIdx.y * BK_BLOCK, to = from + BK_BLOCK < n ? from + BK_BLOCK : n;
    if (c >= out) return;
    float sum = 0;
    for (int64_t t = from; t < to; t++) sum += up(dy[t * out + c]);
    part[blockIdx.y * out + c] = sum;
}

__global__ static void bias_total(float *dbias, const float *part, int64_t parts, int64_t out)
{
    int64_t c = thread_index();
    if (c >= out) return;
    float sum = dbias[c];
    for (int64_t i = 0; i < parts; i++) sum += part[i * out + c];
    dbias[c] = sum;
}

static void bias_back(backend *b, bk_acc *dbias, const bk_act *dy, size_t n, size_t out)
{
    cuda_backend *c = cuda_of(b);
    float *part = (float *)cuda_take(c, &c->scratch, WINDOW * out * sizeof(float));
    if (!n || !part) return;
    for (size_t at = 0; at < n; at += (size_t)WINDOW * BK_BLOCK) {
        size_t some = n - at < (size_t)WINDOW * BK_BLOCK ? n - at : (size_t)WINDOW * BK_BLOCK;
        unsigned parts = (unsigned)((some + BK_BLOCK - 1) / BK_BLOCK);
        dim3 grid((unsigned)((out + COLUMNS - 1) / COLUMNS), parts);
        LAUNCH(c, bias_parts, grid, COLUMNS, 0, part, act(dy) + at * out, (int64_t)some,
               (int64_t)out);
        LAUNCH(c, bias_total, blocks_for((int64_t)out), THREADS, 0, acc(dbias), part,
               (int64_t)parts, (int64_t)out);
    }
}

void cuda_bias(backend *b)
{
    b->bias = bias;
    b->bias_back = bias_back;
}
