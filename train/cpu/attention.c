/* Attention in tiles, after FlashAttention-2 (Dao 2023): scores exist for one tile at a time, and
 * the log-sum-exp of each row is kept for the way back. Tiles begin where their segment begins, so
 * a document's bits do not depend on where it stands. */
#include <math.h>

#include "train/cpu/cpu.h"

enum { TILE = 64, HEAD_MAX = 256 };

typedef struct shape {
    size_t heads, kv_heads, d, group; /* group: query heads to a key head */
} shape;

/* s[rows, cols] = scale q k^T, -inf above the diagonal. q0 and k0 are tokens of the segment. */
static void scores(real *s, const real *q, const real *k, size_t q0, size_t rows, size_t k0,
                   size_t cols, const shape *z)
{
    cpu_gemm(false, true, rows, cols, z->d, (real)(1 / sqrt((double)z->d)), q, z->heads * z->d, k,
             z->kv_heads * z->d, 0, s, TILE);
    if (k0 + cols <= q0 + 1) return;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = q0 + i < k0 ? 0 : q0 + i - k0 + 1; j < cols; j++)
            s[i * TILE + j] = (real)-INFINITY;
}

/* One tile of queries of one head against all keys before them. Pointers are at the segment's
 * first token and at the head. */
static void forward_tile(real *o, real *lse, const real *q, const real *k, const real *v, size_t q0,
                         size_t rows, const shape *z)
{
    real s[TILE * TILE], acc[TILE * HEAD_MAX], top[TILE], sum[TILE];
    size_t row = z->heads * z->d, kv_row = z->kv_heads * z->d;
    for (size_t i = 0; i < rows; i++) {
        top[i] = (real)-INFINITY;
        sum[i] = 0;
        for (size_t c = 0; c < z->d; c++) acc[i * z->d + c] = 0;
    }
    for (size_t k0 = 0; k0 < q0 + rows; k0 += TILE) {
        size_t cols = least(TILE, q0 + rows - k0);
        scores(s, q + q0 * row, k + k0 * kv_row, q0, rows, k0, cols, z);
        for (size_t i = 0; i < rows; i++) {
            /* The first tile holds key 0, which every query sees: no row's maximum is -inf. */
            real t = cpu_max_row(s + i * TILE, cols);
            if (t > top[i]) {
                real fade = (real)exp((double)(top[i] - t));
                sum[i] *= fade;
                top[i] = t;
                for (size_t c = 0; c < z->d; c++) acc[i * z->d + c] *= fade;
            }
            sum[i] += cpu_exp_row(s + i * TILE, cols, top[i]);
        }
        cpu_gemm(false, false, rows, z->d, cols, 1, s, TILE, v + k0 * kv_row, kv_row, 1, acc, z->d);
    }
    for (size_t i = 0; i < rows; i++) {
        real part = 1 / sum[i];
        for (size_t c = 0; c < z->d; c++) o[(q0 + i) * row + c] = acc[i * z->d + c] * part;
        lse[(q0 + i) * z->heads] = top[i] + (real)log((double)sum[i]);
    }
}

static void attention(backend *b, bk_act *o, bk_acc *lse, const bk_act *q, const bk_act *k,
                      const bk_act *v, const bk_segments *seg, size_t heads, size_t kv_heads,
                      size_t d)
{
    shape z = { heads, kv_heads, d, heads / kv_heads };
    for (size_t g = 0; g < seg->count; g++) {
        size_t start = seg->starts[g], n = seg->starts[g + 1] - start;
        size_t tiles = (n + TILE - 1) / TILE, all = tiles * heads;
        /* The last tiles of a segment have most keys: they go first. */
#pragma omp parallel for num_threads(cpu_threads(b)) schedule(dynamic) if (all > 1)
        for (size_t i = 0; i < all; i++) {
            size_t h = i % heads, q0 = (tiles - 1 - i / heads) * TILE, kv = h / z.group;
            forward_tile(wr(o) + (start * heads + h) * d, wr(lse) + start * heads + h,
                         rd(q) + (start * heads + h) * d, rd(k) + (start * kv_heads + kv) * d,
                         rd(v) + (start * kv_heads + kv) * d, q0, least(TILE, n - q0), &z);
        }
    }
}

/* One key head of one segment, and the query heads that read it. */
static void backward_head(real *dq, real *dk, real *dv, const real *delta, const real *dout,
                          const real *lse, const real *q, const real *k, const real *v, size_t n,
                          const shape *z)
{
    real p[TILE * TILE], dp[TILE * TILE];
    size_t d = z->d, row = z->heads * d, kv_row = z->kv_heads * d;
    real scale = (real)(1 / sqrt((double)d));
    for (size_t k0 = 0; k0 < n; k0 += TILE) {
        size_t cols = least(TILE, n - k0);
        for (size_t h = 0; h < z->group; h++) {
            for (size_t q0 = k0; q0 < n; q0 += TILE) {
                size_t rows = least(TILE, n - q0), at = q0 * row + h * d;
                scores(p, q + at, k + k0 * kv_row, q0, rows, k0, cols, z);
                for (size_t i = 0; i < rows; i++)
                    cpu_exp_row(p + i * TILE, cols, lse[(q0 + i) * z->heads + h]);
                cpu_gemm(true, false, cols, d, rows, 1, p, TILE, dout + at, row, 1,
                         dv + k0 * kv_row, kv_row);
                cpu_gemm(false, true, rows, cols, d, 1, dout + at, row, v + k0 * kv_row, kv_row, 0,
                         dp, TILE);
                for (size_t i = 0; i < rows; i++) {
                    real mean = delta[(q0 + i) * z->heads + h];
                    for (size_t j = 0; j < cols; j++)
                        dp[i * TILE + j] = p[i * TILE + j] * (dp[i * TILE + j] - mean);
                }
                cpu_gemm(true, false, cols, d, rows, scale, dp, TILE, q + at, row, 1,
                         dk + k0 * kv_row, kv_row);
                cpu_gemm(false, false, rows, d, cols, scale, dp, TILE, k + k0 * kv_row, kv_row, 1,
                         dq + at, row);
            }
        }
    }
}

static void attention_back(backend *b, bk_act *dq, bk_act *dk, bk_act *dv, bk_acc *delta,
                           const bk_act *dout, const bk_act *o, const bk_acc *lse,
                           const bk_act *q, const bk_act *k, const bk_act *v,
                           const bk_segments *seg, size_t heads, size_t kv_heads, size_t d)
{
    shape z = { heads, kv_heads, d, heads / kv_heads };
    size_t n = seg->starts[seg->count];
#pragma omp parallel for num_threads(cpu_threads(b))
    for (size_t t = 0; t < n; t++) {
        for (size_t h = 0; h < heads; h++) {
            size_t at = (t * heads + h) * d;
            wr(delta)[t * heads + h] = cpu_dot(rd(dout) + at, rd(o) + at, d);
            for (size_t c = 0; c < d; c++) wr(dq)[at + c] = 0;
        }
        for (size_t c = 0; c < kv_heads * d; c++)
            wr(dk)[t * kv_heads * d + c] = wr(dv)[t * kv_heads * d + c] = 0;
    }
    size_t all = seg->count * kv_heads;
#pragma omp parallel for num_threads(cpu_threads(b)) schedule(dynamic)
    for (size_t i = 0; i < all; i++) {
        size_t g = i / kv_heads, kv = i % kv_heads, start = seg->starts[g], h = kv * z.group;
        size_t at = (start * heads + h) * d, kv_at = (start * kv_heads + kv) * d;
        backward_head(wr(dq) + at, wr(dk) + kv_at, wr(dv) + kv_at,
                      rd(delta) + start * heads + h, rd(dout) + at, rd(lse) + start * heads + h,
                      rd(q) + at, rd(k) + kv_at, rd(v) + kv_at, seg->starts[g + 1] - start, &z);
    }
}

void cpu_attention(backend *b)
{
    b->attention = attention;
    b->attention_back = attention_back;
}
