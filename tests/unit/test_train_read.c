/* The operations of reading against float64, with every instruction set that this processor has: over
 * shapes that cross panels, tiles and parts. The results of a token are bit-identical in every
 * chunk, at any number of threads, in both packings, and with every set that has fused
 * multiply-add. */
#include <math.h>

#include "check.h"
#include "lib/base/rng.h"
#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"

static backend *b;
static uint64_t drawn;

static void *blocks[64];
static size_t n_blocks;

static void *fresh(size_t bytes)
{
    void *p = NULL;
    NEED(n_blocks < 64 && b->alloc(b, &p, bytes) == 0);
    return blocks[n_blocks++] = p;
}

static void release(void)
{
    while (n_blocks) b->free(b, blocks[--n_blocks], 0);
}

static float *random_of(size_t n)
{
    float *x = fresh(n * sizeof *x);
    drawn++;
    for (size_t i = 0; i < n; i++) x[i] = (float)(2 * lm_unit(lm_hash4(7, drawn, i, 0)) - 1);
    return x;
}

static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, 4);
    return f;
}

/* Cleared to one byte first, so that what is not written shows. */
static float *result(size_t n)
{
    float *y = fresh(n * sizeof *y);
    memset(y, 0x55, n * sizeof *y);
    return y;
}

#define ACT(p) ((bk_act *)(p))
#define ACC(p) ((bk_acc *)(p))

/* ---- products ---------------------------------------------------------------------------- */

static bk_packed *packed(const float *w, size_t out, size_t in, enum bk_packing how)
{
    bk_packed *p = fresh(b->packed_bytes(b, out, in, how));
    size_t half = out / 2 / BK_PACKED_ROWS * BK_PACKED_ROWS;
    b->pack(b, p, w, 0, half, in, how);
    b->pack(b, p, w + half * in, half, out - half, in, how);
    return p;
}

static void linear(float *y, const float *x, const bk_packed *w, size_t n, size_t in, size_t out,
                   enum bk_packing how, bool add, int threads)
{
    ((cpu_backend *)b)->threads = threads;
    b->packed_linear(b, ACT(y), ACT(x), w, n, in, out, how, add);
}

static void test_linear(size_t n, size_t in, size_t out)
{
    float *x = random_of(n * in), *w = random_of(out * in);
    bk_packed *whole = packed(w, out, in, BK_FLOAT32), *half = packed(w, out, in, BK_BFLOAT16);
    float *rounded = fresh(out * in * 4);
    for (size_t i = 0; i < out * in; i++) {
        uint32_t u;
        memcpy(&u, &w[i], 4);
        uint32_t down = u & 0xffff0000u, up = down + 0x10000;
        double to_down = fabs((double)from_bits(down) - (double)w[i]);
        double to_up = fabs((double)from_bits(up) - (double)w[i]);
        bool even = !(down & 0x10000);
        rounded[i] = from_bits(to_down < to_up || (to_down == to_up && even) ? down : up);
    }
    bk_packed *same = packed(rounded, out, in, BK_FLOAT32);
    float *y = result(n * out), *z = result(n * out), *one = result(out);
    for (int kind = 0; kind < 2; kind++) {
        const float *v = kind ? rounded : w;
        enum bk_packing how = kind ? BK_BFLOAT16 : BK_FLOAT32;
        linear(y, x, kind ? half : whole, n, in, out, how, false, 1);
        double worst = 0;
        for (size_t t = 0; t < n; t++)
            for (size_t o = 0; o < out; o++) {
                double sum = 0, size = 0;
                for (size_t i = 0; i < in; i++) {
                    double part = (double)x[t * in + i] * (double)v[o * in + i];
                    sum += part;
                    size += fabs(part);
                }
                worst = fmax(worst, fabs(sum - (double)y[t * out + o]) / (size + 1e-30));
            }
        if (!(worst < 2e-6)) fprintf(stderr, "linear %zu %zu %zu: %g\n", n, in, out, worst);
        CHECK(worst < 2e-6);
        linear(z, x, kind ? half : whole, n, in, out, how, false, 2);
        CHECK(!memcmp(y, z, n * out * 4));
        for (size_t t = 0; t < n; t++) {
            linear(one, x + t * in, kind ? half : whole, 1, in, out, how, false, 2);
            CHECK(!memcmp(one, y + t * out, out * 4));
        }
    }
    linear(z, x, same, n, in, out, BK_FLOAT32, false, 2);
    CHECK(!memcmp(y, z, n * out * 4)); /* the same values in both packings */
    memcpy(z, x, size_min(n * out, n * in) * 4);
    float *sum = result(n * out);
    for (size_t i = 0; i < n * out; i++) sum[i] = z[i] + y[i];
    linear(z, x, half, n, in, out, BK_BFLOAT16, true, 2);
    CHECK(!memcmp(sum, z, n * out * 4));
    float *row = result(in);
    int32_t ids[2] = { (int32_t)out - 1, (int32_t)(out / 2) };
    for (size_t i = 0; i < 2; i++) {
        const float *want = rounded + (size_t)ids[i] * in;
        b->packed_embed(b, ACT(row), half, (bk_int *)&ids[i], 1, in, BK_BFLOAT16);
        CHECK(!memcmp(row, want, in * 4));
        b->packed_embed(b, ACT(row), whole, (bk_int *)&ids[i], 1, in, BK_FLOAT32);
        CHECK(!memcmp(row, w + (size_t)ids[i] * in, in * 4));
    }
    release();
}

static void test_products(void)
{
    static const size_t outs[] = { 1, 16, 31, 32, 33, 64, 65, 96, 100, 200 };
    static const size_t ins[] = { 1, 3, 64, 577 };
    for (size_t i = 0; i < sizeof outs / sizeof *outs; i++)
        for (size_t n = 1; n <= 7; n++) test_linear(n, ins[(i + n) % 4], outs[i]);
    test_linear(13, 64, 65);
    test_linear(131, 65, 97);
    test_linear(260, 40, 33);
    /* Infinities and NaNs stay what they are. */
    float w[4] = { INFINITY, -INFINITY, NAN, 3.4e38f }, one = 1, y[4];
    bk_packed *p = packed(w, 4, 1, BK_BFLOAT16);
    linear(y, &one, p, 1, 1, 4, BK_BFLOAT16, false, 1);
    CHECK(y[0] == INFINITY && y[1] == -INFINITY && isnan(y[2]) && y[3] == INFINITY);
    release();
}

/* ---- attention --------------------------------------------------------------------------- */

typedef struct heads {
    size_t heads, kv_heads, d, queries, keys;
    float *q, *k, *v, *o, *lse;
} heads;

static void attend(heads *z, float *o, float *lse, const bk_spans *spans, bool merge, int threads)
{
    ((cpu_backend *)b)->threads = threads;
    b->read_attention(b, ACT(o), ACC(lse), ACT(z->q), ACT(z->k), ACT(z->v), spans, z->heads,
                      z->kv_heads, z->d, 3 / sqrt((double)z->d), merge);
}

/* By definition, over the spans of one call or of two that were merged. */
static double plain(const heads *z, const bk_spans *one, const bk_spans *two)
{
    const bk_spans *calls[2] = { one, two };
    double worst = 0, scale = 3 / sqrt((double)z->d);
    for (size_t i = 0; i < z->queries; i++)
        for (size_t h = 0; h < z->heads; h++) {
            size_t kv = h / (z->heads / z->kv_heads), at = (i * z->heads + h) * z->d;
            double sum = 0, out[HEAD_MAX] = { 0 };
            for (size_t c = 0; c < 2 && calls[c]; c++)
                for (size_t g = 0; g < calls[c]->count; g++) {
                    const bk_span *see = &calls[c]->v[g];
                    if (i < see->q || i >= see->q + see->nq) continue;
                    size_t seen =
                        calls[c]->causal ? see->nk - (see->nq - 1 - (i - see->q)) : see->nk;
                    for (size_t j = see->k; j < see->k + seen; j++) {
                        double s = 0;
                        const float *k = z->k + (j * z->kv_heads + kv) * z->d;
                        const float *v = z->v + (j * z->kv_heads + kv) * z->d;
                        for (size_t e = 0; e < z->d; e++) s += (double)z->q[at + e] * (double)k[e];
                        double p = exp(s * scale);
                        sum += p;
                        for (size_t e = 0; e < z->d; e++) out[e] += p * (double)v[e];
                    }
                }
            for (size_t e = 0; e < z->d; e++)
                worst = fmax(worst, fabs((sum > 0 ? out[e] / sum : 0) - (double)z->o[at + e]));
            double lse = (double)z->lse[i * z->heads + h];
            if (sum > 0) worst = fmax(worst, fabs(log(sum) - lse));
            else CHECK(lse == -INFINITY);
            if (isnan(lse)) return NAN;
        }
    return worst;
}

/* Each query alone has the bits that it has among the others. */
static void check_alone(heads *z, const bk_spans *first, const bk_spans *then)
{
    size_t row = z->heads * z->d;
    float *o = result(z->queries * row), *lse = result(z->queries * z->heads);
    for (size_t i = 0; i < z->queries; i++)
        for (size_t c = 0; c < 2; c++) {
            const bk_spans *all = c ? then : first;
            bk_span span = { 0 };
            bk_spans one = { 0, &span, all->causal, 1, z->keys };
            for (size_t g = 0; g < all->count; g++) {
                const bk_span *x = &all->v[g];
                if (i < x->q || i >= x->q + x->nq) continue;
                one.count = 1;
                span =
                    (bk_span){ 0, 1, x->k, all->causal ? x->nk - (x->nq - 1 - (i - x->q)) : x->nk };
            }
            if (c && !all->count) continue;
            heads alone = *z;
            alone.q = z->q + i * row;
            attend(&alone, o + i * row, lse + i * z->heads, &one, c > 0, 2);
        }
    CHECK(!memcmp(o, z->o, z->queries * row * 4));
    CHECK(!memcmp(lse, z->lse, z->queries * z->heads * 4));
}

static void test_attention(size_t heads_n, size_t kv_heads, size_t d, bk_spans first, bk_spans then)
{
    heads z = { heads_n, kv_heads, d, first.queries, first.keys, 0, 0, 0, 0, 0 };
    size_t size = z.queries * heads_n * d;
    z.q = random_of(size);
    z.k = random_of(z.keys * kv_heads * d);
    z.v = random_of(z.keys * kv_heads * d);
    z.o = result(size);
    z.lse = result(z.queries * heads_n);
    float *o = result(size), *lse = result(z.queries * heads_n);
    for (int threads = 1; threads <= 3; threads++) {
        float *to = threads == 1 ? z.o : o, *to_lse = threads == 1 ? z.lse : lse;
        attend(&z, to, to_lse, &first, false, threads);
        if (then.count) attend(&z, to, to_lse, &then, true, threads);
        if (threads == 1) continue;
        CHECK(!memcmp(o, z.o, size * 4));
        CHECK(!memcmp(lse, z.lse, z.queries * heads_n * 4));
    }
    double worst = plain(&z, &first, then.count ? &then : NULL);
    if (!(worst < 3e-6))
        fprintf(stderr, "%zu heads on %zu of %zu, %zu queries, %zu keys: off by %g\n", heads_n,
                kv_heads, d, z.queries, z.keys, worst);
    CHECK(worst < 3e-6);
    check_alone(&z, &first, &then);
    release();
}

/* nq queries after nk - nq keys, causal or not. */
static void test_span(size_t h, size_t kv, size_t d, size_t nq, size_t nk, bool causal)
{
    const bk_span one[] = { { 0, nq, 0, nk } };
    test_attention(h, kv, d, (bk_spans){ 1, one, causal, nq, nk }, (bk_spans){ 0 });
}

static void test_attentions(void)
{
    static const size_t sizes[] = { 2, 4, 6, 10, 16, 34, 64, 80, 128, 256 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        test_span(2, 1, sizes[i], 5, 70, true);
        test_span(2, 2, sizes[i], 70, 70, true);
        test_span(3, 1, sizes[i], 1, 600, true);
    }
    for (size_t nq = 1; nq <= 10; nq++) {
        test_span(9, 3, 64, nq, 517, true);
        test_span(4, 4, 16, nq, nq, true);
        test_span(32, 1, 8, nq, 64 * nq, false);
    }
    static const size_t keys[] = { 1, 2, 63, 64, 65, 511, 512, 513, 1024, 1100 };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        test_span(6, 2, 16, 1, keys[i], true);
        test_span(6, 2, 16, keys[i] < 65 ? keys[i] : 65, keys[i], true);
    }
    test_span(1, 1, 64, 130, 1200, true);
    /* More parts than fit into memory at a time. */
    cpu_backend *c = (cpu_backend *)b;
    size_t all = c->partials;
    c->partials = 5 * (16 + 2) * 16 * 3;
    test_span(9, 3, 16, 1, 4100, true);
    test_span(9, 3, 16, 2, 5000, true);
    c->partials = all;
    const bk_span docs[] = {
        { 0, 1, 0, 1 }, { 1, 69, 1, 69 }, { 70, 64, 70, 64 }, { 134, 16, 134, 16 }
    };
    const bk_span chunks[] = { { 0, 50, 0, 50 }, { 50, 50, 50, 50 }, { 100, 50, 100, 50 } };
    const bk_span shared[] = { { 50, 50, 0, 50 }, { 110, 30, 0, 90 } };
    bk_spans none = { 0 }, some = { 2, shared, false, 150, 150 };
    test_attention(6, 2, 16, (bk_spans){ 4, docs, true, 150, 150 }, none);
    test_attention(2, 1, 8, some, none);
    test_attention(4, 2, 8, (bk_spans){ 3, chunks, true, 150, 150 }, some);
}

/* A NaN in the keys is not hidden, and scores of any size are no trouble. */
static void test_extremes(void)
{
    const bk_span one[] = { { 0, 1, 0, 100 } };
    bk_spans spans = { 1, one, true, 1, 100 };
    heads z = { 1, 1, 4, 1, 100, random_of(4), random_of(400), random_of(400), 0, 0 };
    z.o = result(4);
    z.lse = result(1);
    for (size_t i = 0; i < 400; i++) z.k[i] = z.v[i] = 1;
    for (size_t i = 0; i < 4; i++) {
        z.q[i] = 1000;
        z.k[4 * 77 + i] = 2;
        z.v[4 * 77 + i] = 5;
    }
    attend(&z, z.o, z.lse, &spans, false, 1);
    CHECK(z.o[0] == 5 && fabs((double)z.lse[0] - 12000) < 1e-2);
    for (size_t i = 0; i < 4; i++) z.k[4 * 77 + i] = -1e30f;
    attend(&z, z.o, z.lse, &spans, false, 1);
    CHECK(z.o[0] == 1 && fabs((double)z.lse[0] - 6000 - log(99)) < 1e-2);
    z.k[4 * 50] = NAN;
    attend(&z, z.o, z.lse, &spans, false, 1);
    CHECK(isnan(z.o[0]) && isnan(z.lse[0]));
    release();
}

/* What the sets with fused multiply-add compute, of one attention and one product. */
static void sample(float *o, float *y)
{
    static float lse[70 * 3];
    const bk_span one[] = { { 0, 70, 0, 1300 } };
    bk_spans spans = { 1, one, true, 70, 1300 };
    drawn = 1000;
    heads z = { 3, 1,  20, 70, 1300, random_of(70 * 60), random_of(1300 * 20), random_of(1300 * 20),
                o, lse };
    attend(&z, o, lse, &spans, false, 2);
    bk_packed *w = packed(z.k, 70, 100, BK_BFLOAT16);
    linear(y, z.q, w, 40, 100, 70, BK_BFLOAT16, false, 2);
    release();
}

static void test_set(const cpu_kernel_set *wide, const cpu_kernel_set *narrow, float *o, float *y)
{
    ((cpu_backend *)b)->wide = wide;
    ((cpu_backend *)b)->narrow = narrow;
    test_products();
    test_attentions();
    test_extremes();
    sample(o, y);
}

int main(void)
{
    static float o[3][70 * 60], y[3][40 * 70];
    NEED(bk_cpu_open(&b, 2) == 0);
    test_set(&cpu_kernels_plain, &cpu_kernels_plain, o[0], y[0]);
#ifdef __x86_64__
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (v3) test_set(&cpu_kernels_v3, &cpu_kernels_v3, o[1], y[1]);
    if (v4) {
        test_set(&cpu_kernels_v4, &cpu_kernels_v3, o[2], y[2]);
        CHECK(!memcmp(o[1], o[2], sizeof o[1]) && !memcmp(y[1], y[2], sizeof y[1]));
    }
#endif
    b->close(b);
    CHECK_END();
}
