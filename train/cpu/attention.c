/* Attention in tiles, after FlashAttention-2 (Dao 2023): scores exist for one tile at a time, and
 * the log-sum-exp of each row is saved for the backward pass. Tiles begin where their span begins,
 * so that the results of a document do not depend on its position in the batch. */
#include <math.h>

#include "train/cpu/cpu.h"

enum { TILE = 64, HEAD_MAX = 256 };

typedef struct shape {
    size_t heads, kv_heads, d, group; /* group: query heads per key head */
    real scale;
} shape;

cpu_window cpu_window_of(const bk_spans *spans, const bk_span *v)
{
    return (cpu_window){ v->nq, v->nk, spans->causal ? v->nk - v->nq : v->nk };
}

/* s[rows, cols] = scale q k^T, -inf where a query does not attend to a key. q0 and k0 count from
 * the span's first query and key. */
static void scores(real *s, const real *q, const real *k, size_t q0, size_t rows, size_t k0,
                   size_t cols, size_t reach, const shape *z)
{
    cpu_gemm(false, true, rows, cols, z->d, z->scale, q, z->heads * z->d, k, z->kv_heads * z->d, 0,
             s, TILE);
    if (k0 + cols <= q0 + reach + 1) return;
    for (size_t i = 0; i < rows; i++) {
        size_t seen = q0 + i + reach + 1;
        for (size_t j = seen < k0 ? 0 : seen - k0; j < cols; j++) s[i * TILE + j] = (real)-INFINITY;
    }
}

void cpu_put_row(real *o, real *lse, const real *acc, size_t step, double top, real sum, size_t d,
                 bool merge)
{
    double here = top + log((double)sum), all = here, old = 0;
    if (merge && (double)*lse > -INFINITY) {
        double was = (double)*lse, most = fmax(was, here);
        all = most + log(exp(was - most) + exp(here - most));
        old = exp(was - all);
    }
    real keep = (real)old, part = (real)(exp(here - all) / (double)sum);
    *lse = (real)all;
    if (old > 0)
        for (size_t c = 0; c < d; c++) o[c] = keep * o[c] + part * acc[c * step];
    else
        for (size_t c = 0; c < d; c++) o[c] = part * acc[c * step];
}

/* One tile of queries of one head against the keys it attends to. Pointers are at the span's first
 * query or key, and at the head. */
static void forward_tile(real *o, real *lse, const real *q, const real *k, const real *v, size_t q0,
                         const cpu_window *w, const shape *z, bool merge)
{
    real s[TILE * TILE], acc[TILE * HEAD_MAX], top[TILE], sum[TILE];
    size_t row = z->heads * z->d, kv_row = z->kv_heads * z->d, rows = size_min(TILE, w->nq - q0);
    size_t seen = size_min(w->nk, q0 + rows + w->reach);
    for (size_t i = 0; i < rows; i++) {
        top[i] = (real)-INFINITY;
        sum[i] = 0;
        for (size_t c = 0; c < z->d; c++) acc[i * z->d + c] = 0;
    }
    for (size_t k0 = 0; k0 < seen; k0 += TILE) {
        size_t cols = size_min(TILE, seen - k0);
        scores(s, q + q0 * row, k + k0 * kv_row, q0, rows, k0, cols, w->reach, z);
        for (size_t i = 0; i < rows; i++) {
            /* The first tile has key 0, to which every query attends: no row's maximum is -inf. */
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
    for (size_t i = 0; i < rows; i++)
        cpu_put_row(o + (q0 + i) * row, lse + (q0 + i) * z->heads, acc + i * z->d, 1,
                    (double)top[i], sum[i], z->d, merge);
}

/* Queries from .. to-1, which are in no span. */
static void see_nothing(backend *b, bk_act *o, bk_acc *lse, size_t from, size_t to, const shape *z)
{
    size_t row = z->heads * z->d;
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth((to - from) * row))
    for (size_t i = from; i < to; i++) {
        for (size_t c = 0; c < row; c++) wr(o)[i * row + c] = 0;
        for (size_t h = 0; h < z->heads; h++) wr(lse)[i * z->heads + h] = (real)-INFINITY;
    }
}

void cpu_see_nothing(backend *b, bk_act *o, bk_acc *lse, const bk_spans *spans, size_t heads,
                     size_t d)
{
    shape z = { .heads = heads, .d = d };
    size_t done = 0;
    for (size_t g = 0; g <= spans->count; g++) {
        size_t to = g < spans->count ? spans->v[g].q : spans->queries;
        if (done < to) see_nothing(b, o, lse, done, to, &z);
        if (g < spans->count) done = to + spans->v[g].nq;
    }
}

/* Queries times keys, at most. */
static size_t pairs(const bk_spans *spans)
{
    size_t sum = 0;
    for (size_t g = 0; g < spans->count; g++) sum += spans->v[g].nq * spans->v[g].nk;
    return sum;
}

static void attention(backend *b, bk_act *o, bk_acc *lse, const bk_act *q, const bk_act *k,
                      const bk_act *v, const bk_spans *spans, size_t heads, size_t kv_heads,
                      size_t d, double scale, bool merge)
{
    shape z = { heads, kv_heads, d, heads / kv_heads, (real)scale };
    if (!merge) cpu_see_nothing(b, o, lse, spans, heads, d);
#pragma omp parallel num_threads(cpu_threads(b)) if (cpu_worth(pairs(spans) * heads * d))
    for (size_t g = 0; g < spans->count; g++) {
        const bk_span *x = &spans->v[g];
        cpu_window w = cpu_window_of(spans, x);
        size_t tiles = (w.nq + TILE - 1) / TILE, all = tiles * heads;
        /* The last tiles of a causal span have most keys: they are started first. */
#pragma omp for schedule(dynamic) nowait
        for (size_t i = 0; i < all; i++) {
            size_t h = i % heads, q0 = (tiles - 1 - i / heads) * TILE, kv = h / z.group;
            forward_tile(wr(o) + (x->q * heads + h) * d, wr(lse) + x->q * heads + h,
                         rd(q) + (x->q * heads + h) * d, rd(k) + (x->k * kv_heads + kv) * d,
                         rd(v) + (x->k * kv_heads + kv) * d, q0, &w, &z, merge);
        }
    }
}

/* One key head of one span, and the query heads that use it. */
static void backward_head(real *dq, real *dk, real *dv, const real *delta, const real *dout,
                          const real *lse, const real *q, const real *k, const real *v,
                          const cpu_window *w, const shape *z)
{
    real p[TILE * TILE], dp[TILE * TILE];
    size_t d = z->d, row = z->heads * d, kv_row = z->kv_heads * d;
    for (size_t k0 = 0; k0 < w->nk; k0 += TILE) {
        size_t cols = size_min(TILE, w->nk - k0);
        size_t first =
            k0 > w->reach ? (k0 - w->reach) / TILE * TILE : 0; /* that attends to key k0 */
        for (size_t h = 0; h < z->group; h++) {
            for (size_t q0 = first; q0 < w->nq; q0 += TILE) {
                size_t rows = size_min(TILE, w->nq - q0), at = q0 * row + h * d;
                scores(p, q + at, k + k0 * kv_row, q0, rows, k0, cols, w->reach, z);
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
                cpu_gemm(true, false, cols, d, rows, z->scale, dp, TILE, q + at, row, 1,
                         dk + k0 * kv_row, kv_row);
                cpu_gemm(false, false, rows, d, cols, z->scale, dp, TILE, k + k0 * kv_row, kv_row,
                         1, dq + at, row);
            }
        }
    }
}

/* Whether spans with ascending keys share none. */
static bool keys_apart(const bk_spans *spans)
{
    for (size_t g = 1; g < spans->count; g++)
        if (spans->v[g].k < spans->v[g - 1].k + spans->v[g - 1].nk) return false;
    return true;
}

static void attention_back(backend *b, bk_act *dq, bk_act *dk, bk_act *dv, bk_acc *delta,
                           const bk_act *dout, const bk_act *o, const bk_acc *lse, const bk_act *q,
                           const bk_act *k, const bk_act *v, const bk_spans *spans, size_t heads,
                           size_t kv_heads, size_t d, double scale, bool add)
{
    shape z = { heads, kv_heads, d, heads / kv_heads, (real)scale };
#pragma omp parallel for num_threads(cpu_threads(b))
    for (size_t t = 0; t < spans->queries; t++)
        for (size_t h = 0; h < heads; h++) {
            size_t at = (t * heads + h) * d;
            wr(delta)[t * heads + h] = cpu_dot(rd(dout) + at, rd(o) + at, d);
            for (size_t c = 0; c < d; c++) wr(dq)[at + c] = 0;
        }
    size_t keys = add ? 0 : spans->keys * kv_heads * d;
#pragma omp parallel for num_threads(cpu_threads(b))
    for (size_t i = 0; i < keys; i++) wr(dk)[i] = wr(dv)[i] = 0;
    /* Spans that share keys run one after the other, so that sums have one order. */
    size_t together = keys_apart(spans) ? 1 : spans->count;
    size_t all = spans->count / (together ? together : 1) * kv_heads;
#pragma omp parallel for num_threads(cpu_threads(b)) schedule(dynamic)
    for (size_t i = 0; i < all; i++) {
        size_t kv = i % kv_heads, h = kv * z.group, from = i / kv_heads * together;
        for (size_t g = from; g < from + together; g++) {
            const bk_span *x = &spans->v[g];
            cpu_window w = cpu_window_of(spans, x);
            size_t at = (x->q * heads + h) * d, kv_at = (x->k * kv_heads + kv) * d;
            backward_head(wr(dq) + at, wr(dk) + kv_at, wr(dv) + kv_at, rd(delta) + x->q * heads + h,
                          rd(dout) + at, rd(lse) + x->q * heads + h, rd(q) + at, rd(k) + kv_at,
                          rd(v) + kv_at, &w, &z);
        }
    }
}

void cpu_attention(backend *b)
{
    b->attention = attention;
    b->attention_back = attention_back;
}
