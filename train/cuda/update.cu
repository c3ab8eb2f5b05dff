/* The optimizer, the sum of squares, and numbers to and from bfloat16. */
#include <math.h>

#include "train/cuda/kernels.cuh"

/* ---- AdamW ----------------------------------------------------------------------------- */

struct step {
    float beta1, beta2, eps, keep, scale, rate, unbias;
};

/* As on the CPU, with the float32 master weight; the weight is that, rounded. */
__global__ static void adamw_each(bf16 *w, float *master, float *m, float *v, const float *g,
                                  int64_t n, step s)
{
    for (int64_t i = thread_index(); i < n; i += thread_count()) {
        float gi = g[i] * s.scale;
        float mi = s.beta1 * m[i] + (1 - s.beta1) * gi;
        float vi = s.beta2 * v[i] + (1 - s.beta2) * gi * gi;
        float x = master[i] * s.keep - s.rate * mi / (sqrtf(vi) * s.unbias + s.eps);
        m[i] = mi;
        v[i] = vi;
        master[i] = x;
        w[i] = down(x);
    }
}

static void adamw(backend *b, bk_act *w, bk_acc *master, bk_acc *m, bk_acc *v, const bk_acc *g,
                  size_t n, const bk_adamw *how)
{
    double t = (double)how->step;
    step s;
    s.beta1 = (float)how->beta1;
    s.beta2 = (float)how->beta2;
    s.eps = (float)how->eps;
    s.keep = (float)(1 - how->lr * how->decay);
    s.scale = (float)how->scale;
    s.rate = (float)(how->lr / (1 - pow(how->beta1, t)));
    s.unbias = (float)(1 / sqrt(1 - pow(how->beta2, t)));
    if (n)
        LAUNCH(cuda_of(b), adamw_each, blocks_for((int64_t)n), THREADS, 0, act(w), acc(master),
               acc(m), acc(v), acc(g), (int64_t)n, s);
}

/* ---- sums ------------------------------------------------------------------------------ */

enum { RUN = 16384 }; /* elements that a block sums */

__global__ static void squares(double *part, const float *x, int64_t n)
{
    __shared__ double room[THREADS];
    int64_t from = (int64_t)blockIdx.x * RUN, to = from + RUN < n ? from + RUN : n;
    double sum = 0;
    for (int64_t i = from + threadIdx.x; i < to; i += THREADS) sum += (double)x[i] * (double)x[i];
    room[threadIdx.x] = sum;
    __syncthreads();
    for (int k = THREADS / 2; k; k /= 2) {
        if (threadIdx.x < k) room[threadIdx.x] += room[threadIdx.x + k];
        __syncthreads();
    }
    if (threadIdx.x == 0) part[blockIdx.x] = room[0];
}

/* part[0] = the sum of part[n]; one block. */
__global__ static void total(double *part, int64_t n)
{
    __shared__ double room[THREADS];
    double sum = 0;
    for (int64_t i = threadIdx.x; i < n; i += THREADS) sum += part[i];
    room[threadIdx.x] = sum;
    __syncthreads();
    for (int k = THREADS / 2; k; k /= 2) {
        if (threadIdx.x < k) room[threadIdx.x] += room[threadIdx.x + k];
        __syncthreads();
    }
    if (threadIdx.x == 0) part[0] = room[0];
}

static double sum_squares(backend *b, const bk_acc *x, size_t n)
{
    cuda_backend *c = cuda_of(b);
    double sum = 0;
    for (size_t at = 0; at < n; at += (size_t)CUDA_SUMS * RUN) {
        size_t some = n - at < (size_t)CUDA_SUMS * RUN ? n - at : (size_t)CUDA_SUMS * RUN;
        size_t parts = (some + RUN - 1) / RUN;
        double one = 0;
        LAUNCH(c, squares, (unsigned)parts, THREADS, 0, c->sums, acc(x) + at, (int64_t)some);
        LAUNCH(c, total, 1, THREADS, 0, c->sums, (int64_t)parts);
        cuda_check(c, cudaMemcpyAsync(&one, c->sums, sizeof one, cudaMemcpyDeviceToHost, c->stream),
                   "a sum");
        cuda_check(c, cudaStreamSynchronize(c->stream), "a sum");
        sum += one;
    }
    return sum;
}

/* ---- conversions ----------------------------------------------------------------------- */

__global__ static void to_half(bf16 *y, const float *x, int64_t n)
{
    for (int64_t i = thread_index(); i < n; i += thread_count()) y[i] = down(x[i]);
}

__global__ static void to_float(float *y, const bf16 *x, int64_t n)
{
    for (int64_t i = thread_index(); i < n; i += thread_count()) y[i] = up(x[i]);
}

static void put_act(backend *b, bk_act *dst, const float *src, size_t n)
{
    cuda_backend *c = cuda_of(b);
    for (size_t at = 0; at < n; at += CUDA_STAGING) {
        size_t some = n - at < (size_t)CUDA_STAGING ? n - at : (size_t)CUDA_STAGING;
        b->put_acc(b, (bk_acc *)c->staging, src + at, some);
        LAUNCH(c, to_half, blocks_for((int64_t)some), THREADS, 0, act(dst) + at, c->staging,
               (int64_t)some);
    }
}

static void get_act(backend *b, float *dst, const bk_act *src, size_t n)
{
    cuda_backend *c = cuda_of(b);
    for (size_t at = 0; at < n; at += CUDA_STAGING) {
        size_t some = n - at < (size_t)CUDA_STAGING ? n - at : (size_t)CUDA_STAGING;
        LAUNCH(c, to_float, blocks_for((int64_t)some), THREADS, 0, c->staging, act(src) + at,
               (int64_t)some);
        b->get_acc(b, dst + at, (const bk_acc *)c->staging, some);
    }
}

void cuda_update(backend *b)
{
    b->adamw = adamw;
    b->sum_squares = sum_squares;
    b->put_act = put_act;
    b->get_act = get_act;
}
