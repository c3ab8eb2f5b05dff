/* Attention for heads of any size up to LIMIT, where cuDNN has none: in tiles, in float32, each
 * sum in a fixed order. Simple rather than fast: a warp holds a query (or, for the gradients of
 * keys, a key) and its lanes the other side of a tile of 32. Also the merge of two results, and
 * sums of partial gradients. */
#include "train/cuda/kernels.cuh"

enum { LIMIT = 256, TILE = WARP, OWN = LIMIT / WARP }; /* OWN: columns of a head per lane */

/* ---- loading --------------------------------------------------------------------------- */

/* to[TILE][d + 1] = rows of x, 0 past `count`. All THREADS of the block take part. */
__device__ static inline void load_tile(float *to, const bf16 *x, int64_t row, int64_t count,
                                        int64_t d)
{
    for (int64_t i = threadIdx.x; i < TILE * d; i += THREADS) {
        int64_t j = i / d, c = i % d;
        to[j * (d + 1) + c] = j < count ? up(x[j * row + c]) : 0;
    }
}

/* to[CUDA_ROWS][d] likewise. */
__device__ static inline void load_rows(float *to, const bf16 *x, int64_t row, int64_t count,
                                        int64_t d)
{
    for (int64_t i = threadIdx.x; i < CUDA_ROWS * d; i += THREADS)
        to[i] = i / d < count ? up(x[i / d * row + i % d]) : 0;
}

__device__ static inline float dot(const float *a, const float *b, int64_t d)
{
    float sum = 0;
    for (int64_t c = 0; c < d; c++) sum += a[c] * b[c];
    return sum;
}

/* The span that a block's tile of queries is in. */
__device__ static inline int64_t span_of(const int64_t *tiles, int64_t count, int64_t tile)
{
    int64_t low = 0, high = count; /* tiles[low] <= tile < tiles[high] */
    while (high - low > 1) {
        int64_t mid = (low + high) / 2;
        if (tiles[mid] <= tile) low = mid;
        else high = mid;
    }
    return low;
}

/* The number of keys that query i of a span attends to. */
__device__ static inline int64_t seen(const bk_span *s, int64_t i, bool causal)
{
    return causal ? (int64_t)s->nk - ((int64_t)s->nq - 1 - i) : (int64_t)s->nk;
}

/* What a block of queries needs: its span, its rows, its head. */
struct work {
    bk_span s;
    int64_t first, rows, head, kv_head;
};

__device__ static inline work work_of(const bk_span *spans, const int64_t *tiles, int64_t count,
                                      int64_t heads, int64_t kv_heads)
{
    work p;
    int64_t i = span_of(tiles, count, blockIdx.x);
    p.s = spans[i];
    p.first = (blockIdx.x - tiles[i]) * CUDA_ROWS;
    p.rows = (int64_t)p.s.nq - p.first < CUDA_ROWS ? (int64_t)p.s.nq - p.first : CUDA_ROWS;
    p.head = blockIdx.y;
    p.kv_head = p.head / (heads / kv_heads);
    return p;
}

/* ---- forward --------------------------------------------------------------------------- */

__global__ static void forward(bf16 *o, float *lse, const bf16 *q, const bf16 *k, const bf16 *v,
                               const bk_span *spans, const int64_t *tiles, int64_t count,
                               bool causal, bool merge, int64_t heads, int64_t kv_heads, int64_t d,
                               float scale)
{
    extern __shared__ float room[];
    float *qs = room, *ks = qs + CUDA_ROWS * d, *vs = ks + TILE * (d + 1);
    work p = work_of(spans, tiles, count, heads, kv_heads);
    int64_t row = heads * d, kv_row = kv_heads * d;
    int64_t lane = threadIdx.x % WARP, w = threadIdx.x / WARP, query = (int64_t)p.s.q + p.first + w;
    int64_t mine = w < p.rows ? seen(&p.s, p.first + w, causal) : 0;
    int64_t all = seen(&p.s, p.first + p.rows - 1, causal);
    const bf16 *kh = k + (int64_t)p.s.k * kv_row + p.kv_head * d;
    const bf16 *vh = v + (int64_t)p.s.k * kv_row + p.kv_head * d;
    float out[OWN] = { 0 }, top = -INFINITY, sum = 0;
    load_rows(qs, q + ((int64_t)p.s.q + p.first) * row + p.head * d, row, p.rows, d);
    for (int64_t at = 0; at < all; at += TILE) {
        __syncthreads();
        load_tile(ks, kh + at * kv_row, kv_row, all - at, d);
        load_tile(vs, vh + at * kv_row, kv_row, all - at, d);
        __syncthreads();
        float s = at + lane < mine ? scale * dot(qs + w * d, ks + lane * (d + 1), d) : -INFINITY;
        float higher = fmaxf(top, warp_max(s));
        if (higher == -INFINITY) continue; /* no key to attend to so far */
        float e = expf(s - higher), fade = expf(top - higher);
        sum = sum * fade + warp_sum(e);
        top = higher;
        for (int i = 0; i < OWN; i++) out[i] *= fade;
        for (int j = 0; j < TILE; j++) {
            float ej = __shfl_sync(0xffffffffu, e, j);
            for (int i = 0; i < OWN; i++)
                if (lane + i * WARP < d) out[i] += ej * vs[j * (d + 1) + lane + i * WARP];
        }
    }
    if (w >= p.rows) return;
    float whole = top + logf(sum), before = -INFINITY;
    float *at_lse = lse + query * heads + p.head;
    if (merge) before = *at_lse;
    float larger = fmaxf(whole, before), share = expf(whole - larger), rest = expf(before - larger);
    for (int i = 0; i < OWN; i++) {
        int64_t c = lane + i * WARP;
        if (c >= d) continue;
        bf16 *at = o + query * row + p.head * d + c;
        float x = out[i] / sum;
        if (before != -INFINITY) x = (share * x + rest * up(*at)) / (share + rest);
        *at = down(x);
    }
    __syncwarp();
    if (lane == 0) *at_lse = before == -INFINITY ? whole : larger + logf(share + rest);
}

/* ---- backward -------------------------------------------------------------------------- */

/* delta[queries, H] = dout o, a warp for each. */
__global__ static void deltas(float *delta, const bf16 *dout, const bf16 *o, int64_t n, int64_t d)
{
    int64_t i = (int64_t)blockIdx.x * WARPS + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    if (i >= n) return;
    float sum = 0;
    for (int64_t c = lane; c < d; c += WARP) sum += up(dout[i * d + c]) * up(o[i * d + c]);
    sum = warp_sum(sum);
    if (lane == 0) delta[i] = sum;
}

__global__ static void back_queries(bf16 *dq, const float *delta, const bf16 *dout,
                                    const float *lse, const bf16 *q, const bf16 *k, const bf16 *v,
                                    const bk_span *spans, const int64_t *tiles, int64_t count,
                                    bool causal, int64_t heads, int64_t kv_heads, int64_t d,
                                    float scale)
{
    extern __shared__ float room[];
    float *qs = room, *dos = qs + CUDA_ROWS * d, *ks = dos + CUDA_ROWS * d;
    float *vs = ks + TILE * (d + 1);
    work p = work_of(spans, tiles, count, heads, kv_heads);
    int64_t row = heads * d, kv_row = kv_heads * d, base = (int64_t)p.s.q + p.first;
    int64_t lane = threadIdx.x % WARP, w = threadIdx.x / WARP;
    int64_t mine = w < p.rows ? seen(&p.s, p.first + w, causal) : 0;
    int64_t all = seen(&p.s, p.first + p.rows - 1, causal);
    const bf16 *kh = k + (int64_t)p.s.k * kv_row + p.kv_head * d;
    const bf16 *vh = v + (int64_t)p.s.k * kv_row + p.kv_head * d;
    float out[OWN] = { 0 }, own_lse = 0, own_delta = 0;
    if (w < p.rows) {
        own_lse = lse[(base + w) * heads + p.head];
        own_delta = delta[(base + w) * heads + p.head];
    }
    load_rows(qs, q + base * row + p.head * d, row, p.rows, d);
    load_rows(dos, dout + base * row + p.head * d, row, p.rows, d);
    for (int64_t at = 0; at < all; at += TILE) {
        __syncthreads();
        load_tile(ks, kh + at * kv_row, kv_row, all - at, d);
        load_tile(vs, vh + at * kv_row, kv_row, all - at, d);
        __syncthreads();
        float ds = 0;
        if (at + lane < mine) {
            float e = expf(scale * dot(qs + w * d, ks + lane * (d + 1), d) - own_lse);
            ds = scale * e * (dot(dos + w * d, vs + lane * (d + 1), d) - own_delta);
        }
        for (int j = 0; j < TILE; j++) {
            float dsj = __shfl_sync(0xffffffffu, ds, j);
            for (int i = 0; i < OWN; i++)
                if (lane + i * WARP < d) out[i] += dsj * ks[j * (d + 1) + lane + i * WARP];
        }
    }
    if (w >= p.rows) return;
    for (int i = 0; i < OWN; i++)
        if (lane + i * WARP < d) dq[(base + w) * row + p.head * d + lane + i * WARP] = down(out[i]);
}

/* A block computes CUDA_ROWS keys of a key head, with all queries that attend to them: span by
 * span, head by head, tile by tile, also for keys that spans share. */
__global__ static void back_keys(bf16 *dk, bf16 *dv, const float *delta, const bf16 *dout,
                                 const float *lse, const bf16 *q, const bf16 *k, const bf16 *v,
                                 const bk_span *spans, int64_t count, int64_t keys, bool causal,
                                 bool add, int64_t heads, int64_t kv_heads, int64_t d, float scale)
{
    extern __shared__ float room[];
    float *ks = room, *vs = ks + CUDA_ROWS * d, *qs = vs + CUDA_ROWS * d;
    float *dos = qs + TILE * (d + 1);
    int64_t row = heads * d, kv_row = kv_heads * d, group = heads / kv_heads, kv = blockIdx.y;
    int64_t lane = threadIdx.x % WARP, w = threadIdx.x / WARP;
    int64_t first = blockIdx.x * (int64_t)CUDA_ROWS;
    int64_t rows = keys - first < CUDA_ROWS ? keys - first : CUDA_ROWS, key = first + w;
    float gk[OWN] = { 0 }, gv[OWN] = { 0 };
    load_rows(ks, k + first * kv_row + kv * d, kv_row, rows, d);
    load_rows(vs, v + first * kv_row + kv * d, kv_row, rows, d);
    for (int64_t i = 0; i < count; i++) {
        bk_span s = spans[i];
        int64_t from = (int64_t)s.k, to = from + (int64_t)s.nk, nq = (int64_t)s.nq;
        if (first >= to || first + rows <= from) continue;
        /* The first query that attends to the first of these keys. */
        int64_t low = first > from ? first - from : 0, begin = 0;
        if (causal && low > (int64_t)s.nk - nq) begin = (low - ((int64_t)s.nk - nq)) / TILE * TILE;
        for (int64_t h = kv * group; h < (kv + 1) * group; h++) {
            for (int64_t at = begin; at < nq; at += TILE) {
                int64_t query = (int64_t)s.q + at;
                __syncthreads();
                load_tile(qs, q + query * row + h * d, row, nq - at, d);
                load_tile(dos, dout + query * row + h * d, row, nq - at, d);
                __syncthreads();
                float e = 0, ds = 0;
                if (at + lane < nq && w < rows && key >= from && key < to &&
                    key - from < seen(&s, at + lane, causal)) {
                    int64_t j = (query + lane) * heads + h;
                    e = expf(scale * dot(qs + lane * (d + 1), ks + w * d, d) - lse[j]);
                    ds = scale * e * (dot(dos + lane * (d + 1), vs + w * d, d) - delta[j]);
                }
                for (int j = 0; j < TILE; j++) {
                    float ej = __shfl_sync(0xffffffffu, e, j);
                    float dsj = __shfl_sync(0xffffffffu, ds, j);
                    for (int c = 0; c < OWN; c++) {
                        if (lane + c * WARP >= d) continue;
                        gv[c] += ej * dos[j * (d + 1) + lane + c * WARP];
                        gk[c] += dsj * qs[j * (d + 1) + lane + c * WARP];
                    }
                }
            }
        }
    }
    if (w >= rows) return;
    for (int c = 0; c < OWN; c++) {
        int64_t at = key * kv_row + kv * d + lane + c * WARP;
        if (lane + c * WARP >= d) continue;
        dk[at] = down(add ? up(dk[at]) + gk[c] : gk[c]);
        dv[at] = down(add ? up(dv[at]) + gv[c] : gv[c]);
    }
}

/* ---- calls ----------------------------------------------------------------------------- */

/* Shared memory of a kernel with `rows` sets of CUDA_ROWS and two tiles. */
static size_t shared_of(size_t d, size_t rows)
{
    return (rows * CUDA_ROWS * d + 2 * TILE * (d + 1)) * sizeof(float);
}

#define ALLOW(c, kernel, bytes)                                                                  \
    cuda_check(                                                                                  \
        (c),                                                                                     \
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)(bytes)), \
        "shared memory")

void cuda_own_forward(cuda_backend *c, bk_act *o, bk_acc *lse, const bk_act *q, const bk_act *k,
                      const bk_act *v, const cuda_spans *s, const cuda_heads *z, bool merge)
{
    size_t shared = shared_of(z->d, 1);
    if (!s->all_tiles || !ALLOW(c, forward, shared)) return;
    dim3 grid((unsigned)s->all_tiles, (unsigned)z->heads);
    LAUNCH(c, forward, grid, THREADS, shared, act(o), acc(lse), act(q), act(k), act(v), s->v,
           s->tiles, (int64_t)s->count, s->causal, merge, (int64_t)z->heads, (int64_t)z->kv_heads,
           (int64_t)z->d, z->scale);
}

void cuda_own_backward(cuda_backend *c, bk_act *dq, bk_act *dk, bk_act *dv, bk_acc *delta,
                       const bk_act *dout, const bk_act *o, const bk_acc *lse, const bk_act *q,
                       const bk_act *k, const bk_act *v, const cuda_spans *s, const cuda_heads *z,
                       bool add)
{
    size_t shared = shared_of(z->d, 2);
    int64_t rows = (int64_t)(s->queries * z->heads);
    if (!ALLOW(c, back_queries, shared) || !ALLOW(c, back_keys, shared)) return;
    if (rows)
        LAUNCH(c, deltas, (unsigned)((rows + WARPS - 1) / WARPS), THREADS, 0, acc(delta), act(dout),
               act(o), rows, (int64_t)z->d);
    if (s->all_tiles) {
        dim3 grid((unsigned)s->all_tiles, (unsigned)z->heads);
        LAUNCH(c, back_queries, grid, THREADS, shared, act(dq), acc(delta), act(dout), acc(lse),
               act(q), act(k), act(v), s->v, s->tiles, (int64_t)s->count, s->causal,
               (int64_t)z->heads, (int64_t)z->kv_heads, (int64_t)z->d, z->scale);
    }
    if (s->keys) {
        dim3 grid((unsigned)((s->keys + CUDA_ROWS - 1) / CUDA_ROWS), (unsigned)z->kv_heads);
        LAUNCH(c, back_keys, grid, THREADS, shared, act(dk), act(dv), acc(delta), act(dout),
               acc(lse), act(q), act(k), act(v), s->v, (int64_t)s->count, (int64_t)s->keys,
               s->causal, add, (int64_t)z->heads, (int64_t)z->kv_heads, (int64_t)z->d, z->scale);
    }
}

/* ---- helpers for cuDNN's calls -------------------------------------------------------------- */

__global__ static void fill_lowest(float *x, int64_t n)
{
    for (int64_t i = thread_index(); i < n; i += thread_count()) x[i] = -INFINITY;
}

void cuda_fill_lowest(cuda_backend *c, float *x, size_t n)
{
    if (n) LAUNCH(c, fill_lowest, blocks_for((int64_t)n), THREADS, 0, x, (int64_t)n);
}

/* A warp computes a head of a query. */
__global__ static void merge_rows(bf16 *o, float *lse, const bf16 *o2, const float *lse2, int64_t n,
                                  int64_t d)
{
    int64_t i = (int64_t)blockIdx.x * WARPS + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    if (i >= n) return;
    float a = lse[i], b = lse2[i];
    if (b == -INFINITY) return;
    float larger = fmaxf(a, b), share = expf(a - larger), other = expf(b - larger);
    float all = share + other;
    for (int64_t c = lane; c < d; c += WARP) {
        bf16 *at = o + i * d + c;
        float x = up(o2[i * d + c]);
        *at = down(a == -INFINITY ? x : (share * up(*at) + other * x) / all);
    }
    __syncwarp();
    if (lane == 0) lse[i] = larger + logf(all);
}

void cuda_merge(cuda_backend *c, bk_act *o, float *lse, const bk_act *o2, const float *lse2,
                size_t rows, size_t heads, size_t d)
{
    int64_t n = (int64_t)(rows * heads);
    if (n)
        LAUNCH(c, merge_rows, (unsigned)((n + WARPS - 1) / WARPS), THREADS, 0, act(o), lse, act(o2),
               lse2, n, (int64_t)d);
}

__global__ static void gather_add(float *sum, const bf16 *part, const int64_t *key_at,
                                  const int64_t *part_at, const int32_t *length, int64_t columns)
{
    int64_t i = blockIdx.y, n = length[i] * columns;
    float *to = sum + key_at[i] * columns;
    const bf16 *from = part + part_at[i] * columns;
    for (int64_t j = thread_index(); j < n; j += thread_count()) to[j] += up(from[j]);
}

void cuda_gather_add(cuda_backend *c, float *sum, const bk_act *part, const int64_t *key_at,
                     const int64_t *part_at, const int32_t *length, size_t count, size_t longest,
                     size_t columns)
{
    dim3 grid(blocks_for((int64_t)(longest * columns)), (unsigned)count);
    if (count)
        LAUNCH(c, gather_add, grid, THREADS, 0, sum, act(part), key_at, part_at, length,
               (int64_t)columns);
}

__global__ static void put_sum(bf16 *y, const float *sum, int64_t n, int64_t row, int64_t columns,
                               bool add)
{
    for (int64_t i = thread_index(); i < n; i += thread_count()) {
        bf16 *at = y + i / columns * row + i % columns;
        *at = down(add ? up(*at) + sum[i] : sum[i]);
    }
}

void cuda_put_sum(cuda_backend *c, bk_act *y, const float *sum, size_t rows, size_t row, size_t at,
                  size_t columns, bool add)
{
    int64_t n = (int64_t)(rows * columns);
    if (n)
        LAUNCH(c, put_sum, blocks_for(n), THREADS, 0, act(y) + at, sum, n, (int64_t)row,
               (int64_t)columns, add);
}
