/* Everything but products and attention: norms, RoPE, SwiGLU, embedding, loss, row helpers. */
#include <math.h>

#include "train/cpu/cpu.h"

/* ---- rows ------------------------------------------------------------------------------ */

#ifdef TRAIN_FLOAT64
static inline real exp_below(real x) { return exp(x); }
#else
/* exp for x <= 0 without a branch, so that it vectorizes: 2^n p(r), |r| <= ln(2)/2, with the
 * Taylor polynomial of degree 7 (relative error below 1e-7). Under -87 the result is 0. */
static inline real exp_below(real x)
{
    real y = x < -87.0f ? -87.0f : x;
    real n = (y * 1.44269504f + 12582912.0f) - 12582912.0f; /* 1.5 * 2^23: rounds */
    real r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
    real p = 1.98412698e-4f;
    p = p * r + 1.38888889e-3f;
    p = p * r + 8.33333333e-3f;
    p = p * r + 4.16666667e-2f;
    p = p * r + 1.66666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    union {
        int32_t i;
        real f;
    } two = { .i = ((int32_t)n + 127) << 23 };
    return x < -87.0f ? 0 : p * two.f;
}
#endif

CPU_CLONES real cpu_exp_row(real *x, size_t n, real shift)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        x[i] = exp_below(x[i] - shift);
        sum += x[i];
    }
    return sum;
}

CPU_CLONES real cpu_max_row(const real *x, size_t n)
{
    real top = (real)-INFINITY;
#pragma omp simd reduction(max : top)
    for (size_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
    return top;
}

CPU_CLONES real cpu_dot(const real *a, const real *b, size_t n)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* ---- RMSNorm --------------------------------------------------------------------------- */

static void rmsnorm(backend *b, bk_act *y, bk_acc *rstd, const bk_act *x, const bk_act *w, size_t n,
                    size_t dim, double eps)
{
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n * dim))
    for (size_t t = 0; t < n; t++) {
        const real *xr = rd(x) + t * dim;
        real r = (real)(1 / sqrt((double)cpu_dot(xr, xr, dim) / (double)dim + eps));
        wr(rstd)[t] = r;
        for (size_t c = 0; c < dim; c++) wr(y)[t * dim + c] = xr[c] * r * rd(w)[c];
    }
}

/* dx += r (g - x r^2 mean(g x)) for g = dy w. */
CPU_CLONES static void rmsnorm_back_row(real *dx, const real *dy, const real *x, const real *w,
                                        real r, size_t dim)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t c = 0; c < dim; c++) sum += dy[c] * w[c] * x[c];
    real pull = sum * r * r / (real)dim;
    for (size_t c = 0; c < dim; c++) dx[c] += r * (dy[c] * w[c] - x[c] * pull);
}

CPU_CLONES static void rmsnorm_back_weight(real *sum, const real *dy, const real *x,
                                           const real *rstd, size_t n, size_t dim, size_t columns)
{
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < columns; c++) sum[c] += dy[t * dim + c] * x[t * dim + c] * rstd[t];
}

static void rmsnorm_back(backend *b, bk_act *dx, bk_acc *dw, const bk_act *dy, const bk_act *x,
                         const bk_act *w, const bk_acc *rstd, size_t n, size_t dim)
{
    enum { COLUMNS = 64 };
#pragma omp parallel num_threads(cpu_threads(b)) if (cpu_worth(n * dim))
    {
#pragma omp for
        for (size_t t = 0; t < n; t++)
            rmsnorm_back_row(wr(dx) + t * dim, rd(dy) + t * dim, rd(x) + t * dim, rd(w),
                             rd(rstd)[t], dim);
            /* By columns, so that each sum runs over the tokens in their order; by blocks of
         * tokens, so that slices give the same bits and long sums lose less. */
#pragma omp for
        for (size_t c = 0; c < dim; c += COLUMNS)
            for (size_t t = 0; t < n; t += BK_BLOCK) {
                real sum[COLUMNS] = { 0 };
                size_t columns = size_min(COLUMNS, dim - c), at = t * dim + c;
                rmsnorm_back_weight(sum, rd(dy) + at, rd(x) + at, rd(rstd) + t,
                                    size_min(BK_BLOCK, n - t), dim, columns);
                for (size_t i = 0; i < columns; i++) wr(dw)[c + i] += sum[i];
            }
    }
}

/* ---- RoPE ------------------------------------------------------------------------------ */

CPU_CLONES static void turn(real *y, const real *x, const real *cosine, const real *sine,
                            size_t half, real sign, real keep)
{
    for (size_t i = 0; i < half; i++) {
        real a = x[i], c = x[i + half], s = sign * sine[i];
        real low = a * cosine[i] - c * s, high = c * cosine[i] + a * s;
        y[i] = keep > 0 ? y[i] + low : low;
        y[i + half] = keep > 0 ? y[i + half] + high : high;
    }
}

static void rope(backend *b, bk_act *y, const bk_act *x, const bk_int *pos, const bk_acc *table,
                 size_t n, size_t heads, size_t d, bool back, bool add)
{
    const int32_t *p = (const int32_t *)pos;
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n * heads * d))
    for (size_t t = 0; t < n; t++) {
        const real *row = rd(table) + (size_t)p[t] * d;
        for (size_t h = 0; h < heads; h++) {
            size_t at = (t * heads + h) * d;
            turn(wr(y) + at, rd(x) + at, row, row + d / 2, d / 2, back ? -1 : 1, add ? 1 : 0);
        }
    }
}

/* ---- SwiGLU ---------------------------------------------------------------------------- */

/* 1 / (1 + exp(-x)), from exp(-|x|). */
static inline real sigmoid(real x)
{
    real e = exp_below(x < 0 ? x : -x), low = e / (1 + e);
    return x < 0 ? low : 1 - low;
}

CPU_CLONES static void swiglu_run(real *y, const real *gate, const real *up, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = gate[i] * sigmoid(gate[i]) * up[i];
}

CPU_CLONES static void swiglu_back_run(real *dgate, real *dup, const real *dy, const real *gate,
                                       const real *up, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        real s = sigmoid(gate[i]), g = dy[i];
        dup[i] = g * gate[i] * s;
        dgate[i] = g * up[i] * s * (1 + gate[i] * (1 - s));
    }
}

enum { RUN = 4096 }; /* elements one thread takes at a time */

static void swiglu(backend *b, bk_act *y, const bk_act *gate, const bk_act *up, size_t n)
{
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n))
    for (size_t i = 0; i < n; i += RUN)
        swiglu_run(wr(y) + i, rd(gate) + i, rd(up) + i, size_min(RUN, n - i));
}

static void swiglu_back(backend *b, bk_act *dgate, bk_act *dup, const bk_act *dy,
                        const bk_act *gate, const bk_act *up, size_t n)
{
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n))
    for (size_t i = 0; i < n; i += RUN)
        swiglu_back_run(wr(dgate) + i, wr(dup) + i, rd(dy) + i, rd(gate) + i, rd(up) + i,
                        size_min(RUN, n - i));
}

/* ---- embedding ------------------------------------------------------------------------- */

static void embed(backend *b, bk_act *x, const bk_act *table, const bk_int *ids, size_t n,
                  size_t dim)
{
    const int32_t *id = (const int32_t *)ids;
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n * dim))
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < dim; c++) wr(x)[t * dim + c] = rd(table)[(size_t)id[t] * dim + c];
}

static void embed_back(backend *b, bk_acc *dtable, const bk_act *dx, const bk_int *ids, size_t n,
                       size_t dim)
{
    enum { COLUMNS = 16 };
    const int32_t *id = (const int32_t *)ids;
    /* By columns: tokens may share an id, and their sum must have one order. */
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n * dim))
    for (size_t c = 0; c < dim; c += COLUMNS)
        for (size_t t = 0; t < n; t++)
            for (size_t i = c; i < size_min(dim, c + COLUMNS); i++)
                wr(dtable)[(size_t)id[t] * dim + i] += rd(dx)[t * dim + i];
}

/* ---- loss ------------------------------------------------------------------------------ */

static void cross_entropy(backend *b, bk_acc *loss, bk_act *logits, const bk_int *target, size_t n,
                          size_t vocab, double scale, bool grad)
{
    const int32_t *want = (const int32_t *)target;
#pragma omp parallel for num_threads(cpu_threads(b)) schedule(dynamic, 4) if (cpu_worth(n * vocab))
    for (size_t t = 0; t < n; t++) {
        real *row = wr(logits) + t * vocab;
        if (want[t] < 0) {
            wr(loss)[t] = 0;
            for (size_t c = 0; grad && c < vocab; c++) row[c] = 0;
            continue;
        }
        real top = cpu_max_row(row, vocab), right = row[want[t]];
        real sum = cpu_exp_row(row, vocab, top);
        wr(loss)[t] = (real)log((double)sum) + top - right;
        if (!grad) continue;
        real part = (real)scale / sum;
        for (size_t c = 0; c < vocab; c++) row[c] *= part;
        row[want[t]] -= (real)scale;
    }
}

void cpu_pointwise(backend *b)
{
    b->rmsnorm = rmsnorm;
    b->rmsnorm_back = rmsnorm_back;
    b->rope = rope;
    b->swiglu = swiglu;
    b->swiglu_back = swiglu_back;
    b->embed = embed;
    b->embed_back = embed_back;
    b->cross_entropy = cross_entropy;
}
