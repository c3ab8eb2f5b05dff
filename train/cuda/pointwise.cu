/* RMSNorm, RoPE and SwiGLU: bfloat16 in memory, float32 arithmetic. */
#include "train/cuda/kernels.cuh"

/* ---- RMSNorm --------------------------------------------------------------------------- */

/* One block per row. */
__global__ static void rmsnorm_rows(bf16 *y, float *rstd, const bf16 *x, const bf16 *w, int64_t dim,
                                    float eps)
{
    __shared__ float room[WARPS];
    int64_t t = blockIdx.x;
    const bf16 *row = x + t * dim;
    float sum = 0;
    for (int64_t c = threadIdx.x; c < dim; c += THREADS) {
        float v = up(row[c]);
        sum += v * v;
    }
    float r = 1 / sqrtf(block_sum(sum, room) / (float)dim + eps);
    if (threadIdx.x == 0) rstd[t] = r;
    for (int64_t c = threadIdx.x; c < dim; c += THREADS)
        y[t * dim + c] = down(up(row[c]) * r * up(w[c]));
}

/* dx += r (g - x r^2 mean(g x)) for g = dy w. */
__global__ static void rmsnorm_back_rows(bf16 *dx, const bf16 *dy, const bf16 *x, const bf16 *w,
                                         const float *rstd, int64_t dim)
{
    __shared__ float room[WARPS];
    int64_t t = blockIdx.x, at = t * dim;
    float sum = 0, r = rstd[t];
    for (int64_t c = threadIdx.x; c < dim; c += THREADS)
        sum += up(dy[at + c]) * up(w[c]) * up(x[at + c]);
    float pull = block_sum(sum, room) * r * r / (float)dim;
    for (int64_t c = threadIdx.x; c < dim; c += THREADS) {
        float g = up(dy[at + c]) * up(w[c]);
        dx[at + c] = down(up(dx[at + c]) + r * (g - up(x[at + c]) * pull));
    }
}

enum { COLUMNS = 128, WINDOW = 64 }; /* columns of a block; blocks of tokens in one go */

/* part[block of tokens, dim]: a thread sums a column of BK_BLOCK tokens in their order. */
__global__ static void rmsnorm_back_parts(float *part, const bf16 *dy, const bf16 *x,
                                          const float *rstd, int64_t n, int64_t dim)
{
    int64_t c = (int64_t)blockIdx.x * COLUMNS + threadIdx.x;
    int64_t from = (int64_t)blockIdx.y * BK_BLOCK, to = from + BK_BLOCK < n ? from + BK_BLOCK : n;
    if (c >= dim) return;
    float sum = 0;
    for (int64_t t = from; t < to; t++) sum += up(dy[t * dim + c]) * up(x[t * dim + c]) * rstd[t];
    part[blockIdx.y * dim + c] = sum;
}

__global__ static void add_parts(float *dw, const float *part, int64_t parts, int64_t dim)
{
    int64_t c = thread_index();
    if (c >= dim) return;
    float sum = dw[c];
    for (int64_t i = 0; i < parts; i++) sum += part[i * dim + c];
    dw[c] = sum;
}

static void rmsnorm(backend *b, bk_act *y, bk_acc *rstd, const bk_act *x, const bk_act *w, size_t n,
                    size_t dim, double eps)
{
    cuda_backend *c = cuda_of(b);
    if (n)
        LAUNCH(c, rmsnorm_rows, (unsigned)n, THREADS, 0, act(y), acc(rstd), act(x), act(w),
               (int64_t)dim, (float)eps);
}

static void rmsnorm_back(backend *b, bk_act *dx, bk_acc *dw, const bk_act *dy, const bk_act *x,
                         const bk_act *w, const bk_acc *rstd, size_t n, size_t dim)
{
    cuda_backend *c = cuda_of(b);
    float *part = (float *)cuda_take(c, &c->scratch, WINDOW * dim * sizeof(float));
    if (!n || !part) return;
    LAUNCH(c, rmsnorm_back_rows, (unsigned)n, THREADS, 0, act(dx), act(dy), act(x), act(w),
           acc(rstd), (int64_t)dim);
    for (size_t at = 0; at < n; at += (size_t)WINDOW * BK_BLOCK) {
        size_t some = n - at < (size_t)WINDOW * BK_BLOCK ? n - at : (size_t)WINDOW * BK_BLOCK;
        unsigned parts = (unsigned)((some + BK_BLOCK - 1) / BK_BLOCK);
        dim3 grid((unsigned)((dim + COLUMNS - 1) / COLUMNS), parts);
        LAUNCH(c, rmsnorm_back_parts, grid, COLUMNS, 0, part, act(dy) + at * dim, act(x) + at * dim,
               acc(rstd) + at, (int64_t)some, (int64_t)dim);
        LAUNCH(c, add_parts, blocks_for((int64_t)dim), THREADS, 0, acc(dw), part, (int64_t)parts,
               (int64_t)dim);
    }
}

/* ---- RoPE ------------------------------------------------------------------------------ */

/* A thread rotates one pair. */
__global__ static void turn(bf16 *y, const bf16 *x, const int32_t *pos, const float *table,
                            int64_t pairs, int64_t heads, int64_t d, float sign, bool add)
{
    int64_t half = d / 2;
    for (int64_t i = thread_index(); i < pairs; i += thread_count()) {
        int64_t c = i % half, row = i / half, at = row * d + c;
        const float *angle = table + (int64_t)pos[row / heads] * d;
        float cosine = angle[c], sine = sign * angle[c + half];
        float p = up(x[at]), q = up(x[at + half]);
        float left = p * cosine - q * sine, right = q * cosine + p * sine;
        if (add) {
            left += up(y[at]);
            right += up(y[at + half]);
        }
        y[at] = down(left);
        y[at + half] = down(right);
    }
}

static void rope(backend *b, bk_act *y, const bk_act *x, const bk_int *pos, const bk_acc *table,
                 size_t n, size_t heads, size_t d, bool back, bool add)
{
    int64_t pairs = (int64_t)(n * heads * (d / 2));
    if (pairs)
        LAUNCH(cuda_of(b), turn, blocks_for(pairs), THREADS, 0, act(y), act(x), ints(pos),
               acc(table), pairs, (int64_t)heads, (int64_t)d, back ? -1.0f : 1.0f, add);
}

/* ---- SwiGLU ---------------------------------------------------------------------------- */

__device__ static inline float sigmoid(float x) { return 1 / (1 + expf(-x)); }

__device__ static inline float gated(float gate, float other)
{
    return gate * sigmoid(gate) * other;
}

__global__ static void swiglu_one(bf16 *y, const bf16 *gate, const bf16 *other, int64_t n)
{
    for (int64_t i = thread_index(); i < n; i += thread_count())
        y[i] = down(gated(up(gate[i]), up(other[i])));
}

__global__ static void swiglu_eight(eight *y, const eight *gate, const eight *other, int64_t n)
{
    for (int64_t i = thread_index(); i < n; i += thread_count()) {
        eight g = gate[i], u = other[i], r;
        for (int j = 0; j < 8; j++) r.v[j] = down(gated(up(g.v[j]), up(u.v[j])));
        y[i] = r;
    }
}

__device__ static inline void ungated(bf16 *dgate, bf16 *dup, bf16 dy, bf16 gate, bf16 other)
{
    float x = up(gate), s = sigmoid(x), g = up(dy);
    *dup = down(g * x * s);
    *dgate = down(g * up(other) * s * (1 + x * (1 - s)));
}

__global__ static void swiglu_back_one(bf16 *dgate, bf16 *dup, const bf16 *dy, const bf16 *gate,
                                       const bf16 *other, int64_t n)
{
    for (int64_t i = thread_index(); i < n; i += thread_count())
        ungated(dgate + i, dup + i, dy[i], gate[i], other[i]);
}

__global__ static void swiglu_back_eight(eight *dgate, eight *dup, const eight *dy,
                                         const eight *gate, const eight *other, int64_t n)
{
    for (int64_t i = thread_index(); i < n; i += thread_count()) {
        eight g = gate[i], u = other[i], d = dy[i], dg, du;
        for (int j = 0; j < 8; j++) ungated(dg.v + j, du.v + j, d.v[j], g.v[j], u.v[j]);
        dgate[i] = dg;
        dup[i] = du;
    }
}

static void swiglu(backend *b, bk_act *y, const bk_act *gate, const bk_act *other, size_t n)
{
    cuda_backend *c = cuda_of(b);
    size_t wide = aligned(y, gate, other, other) ? n / 8 : 0, at = 8 * wide;
    if (wide)
        LAUNCH(c, swiglu_eight, blocks_for((int64_t)wide), THREADS, 0, (eight *)y,
               (const eight *)gate, (const eight *)other, (int64_t)wide);
    if (at < n)
        LAUNCH(c, swiglu_one, blocks_for((int64_t)(n - at)), THREADS, 0, act(y) + at,
               act(gate) + at, act(other) + at, (int64_t)(n - at));
}

static void swiglu_back(backend *b, bk_act *dgate, bk_act *dup, const bk_act *dy,
                        const bk_act *gate, const bk_act *other, size_t n)
{
    cuda_backend *c = cuda_of(b);
    bool fits = aligned(dgate, dup, dy, gate) && aligned(other, other, other, other);
    size_t wide = fits ? n / 8 : 0, at = 8 * wide;
    if (wide)
        LAUNCH(c, swiglu_back_eight, blocks_for((int64_t)wide), THREADS, 0, (eight *)dgate,
               (eight *)dup, (const eight *)dy, (const eight *)gate, (const eight *)other,
               (int64_t)wide);
    if (at < n)
        LAUNCH(c, swiglu_back_one, blocks_for((int64_t)(n - at)), THREADS, 0, act(dgate) + at,
               act(dup) + at, act(dy) + at, act(gate) + at, act(other) + at, (int64_t)(n - at));
}

void cuda_pointwise(backend *b)
{
    b->rmsnorm = rmsnorm;
    b->rmsnorm_back = rmsnorm_back;
    b->rope = rope;
    b->swiglu = swiglu;
    b->swiglu_back = swiglu_back;
}
