/* kernels_body.h -- the inner loops of kernels.h for one instruction set. The file that includes it
 * defines
 *   LANES    floats in a vector: 4, 8 or 16       WIDE   vectors side by side in a large product
 *   TARGET   the attribute of its functions       SET    the set to define
 *   SET1, FMA, MAX: a broadcast, a b + c, and the maximum, which is b where a or b is a NaN */
#include <float.h>
#include <math.h>
#include <string.h>

#define FORCE TARGET __attribute__((always_inline)) static inline

typedef float vec __attribute__((vector_size(LANES * 4)));
typedef int32_t ivec __attribute__((vector_size(LANES * 4)));
typedef uint32_t uvec __attribute__((vector_size(LANES * 4)));
typedef float vec_at __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t ivec_at __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef uint32_t uvec_at __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

#define LOAD(p) (*(const vec_at *)(p))
#define STORE(p, v) (*(vec_at *)(p) = (v))
#define UNROLL _Pragma("GCC unroll 12")

/* ---- products with packed weights -------------------------------------------------------- */

/* y[rows, outs] of `rows` tokens and `count` panels: the lanes from `at` on of both halves. */
FORCE void few_tokens(const int rows, const int count, const bool bfloat16, float *y, size_t stride,
                      const float *x, const cpu_panels *w, size_t at, bool add)
{
    vec s[6][4];
    const char *p = (const char *)w->w + at * 4;
    const size_t step = bfloat16 ? HALF_PANEL * 4 : PANEL * 4, panel = w->in * step;
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int c = 0; c < 2 * count; c++) s[r][c] =
        SET1(0);
    for (size_t i = 0; i < w->in; i++, p += step) {
        vec v[4];
        UNROLL for (int c = 0; c < count; c++)
        {
            if (bfloat16) {
                uvec both = *(const uvec_at *)(p + (size_t)c * panel);
                v[2 * c] = (vec)(both << 16);
                v[2 * c + 1] = (vec)(both & 0xffff0000u);
            } else {
                v[2 * c] = LOAD(p + (size_t)c * panel);
                v[2 * c + 1] = LOAD(p + (size_t)c * panel + HALF_PANEL * 4);
            }
        }
        UNROLL for (int r = 0; r < rows; r++)
        {
            vec a = SET1(x[(size_t)r * w->in + i]);
            UNROLL for (int c = 0; c < 2 * count; c++) s[r][c] = FMA(a, v[c], s[r][c]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int c = 0; c < 2 * count; c++)
    {
        size_t o = (size_t)c * HALF_PANEL + at;
        float *to = y + (size_t)r * stride + o, part[LANES];
        if (o + LANES <= w->outs) {
            if (add) s[r][c] = LOAD(to) + s[r][c];
            STORE(to, s[r][c]);
            continue;
        }
        STORE(part, s[r][c]);
        for (size_t k = 0; o + k < w->outs; k++) to[k] = add ? to[k] + part[k] : part[k];
    }
}

FORCE void all_tokens(const int count, const bool bfloat16, float *y, size_t stride, const float *x,
                      size_t n, const cpu_panels *w, bool add)
{
    for (size_t at = 0; at < HALF_PANEL; at += LANES) {
        size_t t = 0;
        for (; t + 6 <= n; t += 6)
            few_tokens(6, count, bfloat16, y + t * stride, stride, x + t * w->in, w, at, add);
        if (t + 4 <= n) {
            few_tokens(4, count, bfloat16, y + t * stride, stride, x + t * w->in, w, at, add);
            t += 4;
        }
        if (t + 2 <= n) {
            few_tokens(2, count, bfloat16, y + t * stride, stride, x + t * w->in, w, at, add);
            t += 2;
        }
        if (t < n)
            few_tokens(1, count, bfloat16, y + t * stride, stride, x + t * w->in, w, at, add);
    }
}

TARGET static void one_bfloat16(float *y, size_t stride, const float *x, size_t n,
                                const cpu_panels *w, bool add)
{
    all_tokens(1, true, y, stride, x, n, w, add);
}

TARGET static void one_float32(float *y, size_t stride, const float *x, size_t n,
                               const cpu_panels *w, bool add)
{
    all_tokens(1, false, y, stride, x, n, w, add);
}

#if WIDE == 4
TARGET static void two_bfloat16(float *y, size_t stride, const float *x, size_t n,
                                const cpu_panels *w, bool add)
{
    all_tokens(2, true, y, stride, x, n, w, add);
}

TARGET static void two_float32(float *y, size_t stride, const float *x, size_t n,
                               const cpu_panels *w, bool add)
{
    all_tokens(2, false, y, stride, x, n, w, add);
}
#endif

static void panels(float *y, size_t stride, const float *x, size_t n, const cpu_panels *w, bool add)
{
#if WIDE == 4
    if (w->count == 2) {
        (w->bfloat16 ? two_bfloat16 : two_float32)(y, stride, x, n, w, add);
        return;
    }
#endif
    size_t bytes = w->in * PANEL * (w->bfloat16 ? 2 : 4);
    for (int c = 0; c < w->count; c++) {
        cpu_panels one = *w;
        size_t o = (size_t)c * PANEL;
        one.w = (const char *)w->w + (size_t)c * bytes;
        one.outs = w->outs - o < PANEL ? w->outs - o : PANEL;
        (w->bfloat16 ? one_bfloat16 : one_float32)(y + o, stride, x, n, &one, add);
    }
}

/* ---- attention --------------------------------------------------------------------------- */

/* c[r * ldc + j] (+)= sum over i < n of a[r * ar + i * ai] b[i * ldb + j], j in `width` vectors. */
FORCE void small_product(const int rows, const int width, size_t n, const float *a, size_t ar,
                         size_t ai, const float *b, size_t ldb, float *c, size_t ldc, bool add)
{
    vec s[12][WIDE];
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int w = 0; w < width; w++)
    {
        s[r][w] = SET1(0);
        if (add) s[r][w] = LOAD(c + (size_t)r * ldc + w * LANES);
    }
    for (size_t i = 0; i < n; i++) {
        vec v[WIDE];
        UNROLL for (int w = 0; w < width; w++) v[w] = LOAD(b + i * ldb + w * LANES);
        UNROLL for (int r = 0; r < rows; r++)
        {
            vec x = SET1(a[(size_t)r * ar + i * ai]);
            UNROLL for (int w = 0; w < width; w++) s[r][w] = FMA(x, v[w], s[r][w]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int w = 0; w < width; w++)
        STORE(c + (size_t)r * ldc + w * LANES, s[r][w]);
}

FORCE void product_columns(const int most, const int width, size_t m, size_t n, const float *a,
                           size_t ar, size_t ai, const float *b, size_t ldb, float *c, size_t ldc,
                           bool add)
{
    size_t r = 0;
    for (; r + most <= m; r += most)
        small_product(most, width, n, a + r * ar, ar, ai, b, ldb, c + r * ldc, ldc, add);
    if (most > 6 && r + 6 <= m) {
        small_product(6, width, n, a + r * ar, ar, ai, b, ldb, c + r * ldc, ldc, add);
        r += 6;
    }
    if (r + 4 <= m) {
        small_product(4, width, n, a + r * ar, ar, ai, b, ldb, c + r * ldc, ldc, add);
        r += 4;
    }
    if (r + 2 <= m) {
        small_product(2, width, n, a + r * ar, ar, ai, b, ldb, c + r * ldc, ldc, add);
        r += 2;
    }
    if (r < m) small_product(1, width, n, a + r * ar, ar, ai, b, ldb, c + r * ldc, ldc, add);
}

/* The same for m rows and `cols` columns. */
TARGET static void product(size_t m, size_t cols, size_t n, const float *a, size_t ar, size_t ai,
                           const float *b, size_t ldb, float *c, size_t ldc, bool add)
{
    size_t j = 0;
    for (; j + WIDE * LANES <= cols; j += WIDE * LANES)
        product_columns(6, WIDE, m, n, a, ar, ai, b + j, ldb, c + j, ldc, add);
    for (; j < cols; j += LANES)
        product_columns(12, 1, m, n, a, ar, ai, b + j, ldb, c + j, ldc, add);
}

/* (2^r - 1) / r for |r| <= 1/2, fitted to the relative error of 2^r: below 2e-9 before rounding. */
#define C1 0.693147182f
#define C2 0.240226477f
#define C3 0.0555033237f
#define C4 0.00961843785f
#define C5 0.0013398875f
#define C6 0.000153533139f

/* 2^x for x <= 0: 2^n p(r) with n + r = x, |r| <= 1/2, and a polynomial for p. Under -126 it is 0; a NaN stays one. */
FORCE void exp2_below(vec *to, vec x)
{
    const vec round = SET1(12582912.0f); /* 1.5 * 2^23: the sum's low bits are n */
    vec t = x + round, r = x - (t - round), p = SET1(C6);
    p = FMA(p, r, SET1(C5));
    p = FMA(p, r, SET1(C4));
    p = FMA(p, r, SET1(C3));
    p = FMA(p, r, SET1(C2));
    p = FMA(p, r, SET1(C1));
    p = FMA(p, r, SET1(1.0f));
    ivec zero = x < SET1(-126.0f);
    *to = (vec)(((ivec)p + ((ivec)t << 23)) & ~zero);
}

/* Rows l .. l+LANES-1: s[m, rows] becomes 2^(s - top), with top, sum and acc brought up to date. */
FORCE void softmax_columns(const cpu_softmax *out, const cpu_part *z, float *s, size_t m,
                           int32_t first, size_t l)
{
    vec old = LOAD(out->top + l), top = old;
    if (first + (int32_t)m > z->least) {
        ivec seen = *(const ivec_at *)(z->seen + l) - first;
        const vec nothing = SET1(-INFINITY);
        for (size_t j = 0; j < m; j++) {
            ivec sees = seen > (int32_t)j;
            ivec x = ((ivec)LOAD(s + j * z->rows + l) & sees) | ((ivec)nothing & ~sees);
            STORE(s + j * z->rows + l, (vec)x);
        }
    }
    for (size_t j = 0; j < m; j++) top = MAX(top, LOAD(s + j * z->rows + l));
    vec sum = LOAD(out->sum + l), fade;
    exp2_below(&fade, old - top);
    if (memcmp(&old, &top, sizeof old)) {
        sum *= fade;
        for (size_t c = 0; c < z->d; c++)
            STORE(out->acc + c * z->rows + l, LOAD(out->acc + c * z->rows + l) * fade);
    }
    for (size_t j = 0; j < m; j++) {
        vec e;
        exp2_below(&e, LOAD(s + j * z->rows + l) - top);
        STORE(s + j * z->rows + l, e);
        sum += e;
    }
    STORE(out->top + l, top);
    STORE(out->sum + l, sum);
}

enum { GROUP = 12, LINE = 16 }; /* keys that a product takes at once; floats of a cache line */

/* Keys of a head are not contiguous, so the processor does not foresee them. */
FORCE void fetch_keys(const float *k, const float *v, size_t n, const cpu_part *z)
{
    for (size_t j = 0; j < n; j++)
        for (size_t c = 0; c < z->d; c += LINE) {
            __builtin_prefetch(k + j * z->stride + c, 0, 3);
            __builtin_prefetch(v + j * z->stride + c, 0, 3);
        }
}

TARGET static void attend(const cpu_softmax *out, const cpu_part *z)
{
    float s[TILE_KEYS * TILE_ROWS] __attribute__((aligned(64)));
    for (size_t i = 0; i < z->d * z->rows; i++) out->acc[i] = 0;
    for (size_t i = 0; i < z->rows; i++) {
        out->top[i] = -FLT_MAX;
        out->sum[i] = 0;
    }
    for (size_t k0 = 0; k0 < z->cols; k0 += TILE_KEYS) {
        size_t m = z->cols - k0 < TILE_KEYS ? z->cols - k0 : TILE_KEYS;
        const float *k = z->k + k0 * z->stride, *v = z->v + k0 * z->stride;
        for (size_t j = 0; j < m; j += GROUP) {
            size_t group = m - j < GROUP ? m - j : GROUP, next = (j + TILE_KEYS) * z->stride;
            fetch_keys(k + next, v + next, group, z);
            product(group, z->rows, z->d, k + j * z->stride, z->stride, 1, z->q, z->rows,
                    s + j * z->rows, z->rows, false);
        }
        for (size_t l = 0; l < z->rows; l += LANES) softmax_columns(out, z, s, m, (int32_t)k0, l);
        product(z->d, z->rows, m, v, 1, z->stride, s, z->rows, out->acc, z->rows, true);
    }
}

TARGET static void merge(const cpu_softmax *to, const cpu_softmax *other, size_t d, size_t rows)
{
    for (size_t l = 0; l < rows; l += LANES) {
        vec a = LOAD(to->top + l), b = LOAD(other->top + l), top = MAX(a, b), f, g;
        exp2_below(&f, a - top);
        exp2_below(&g, b - top);
        STORE(to->top + l, top);
        STORE(to->sum + l, FMA(LOAD(other->sum + l), g, LOAD(to->sum + l) * f));
        for (size_t i = l; i < d * rows; i += rows)
            STORE(to->acc + i, FMA(LOAD(other->acc + i), g, LOAD(to->acc + i) * f));
    }
}

const cpu_kernel_set SET = { panels, attend, merge };
