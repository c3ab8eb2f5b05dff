/* Gradients of every operation against finite differences, in the float64 build of the CPU
 * backend, over shapes that cross its tiles and blocks. */
#include <math.h>

#include "check.h"
#include "lib/base/rng.h"
#include "train/backend.h"

static backend *b;
static uint64_t drawn;

/* Freed together at the end of a test. */
static void *blocks[64];
static size_t n_blocks;

static double *fresh(size_t n)
{
    void *p = NULL;
    NEED(n_blocks < 64 && b->alloc(b, &p, n * sizeof(double)) == 0);
    return blocks[n_blocks++] = p;
}

static void release(void)
{
    while (n_blocks) b->free(b, blocks[--n_blocks], 0);
}

static double *random_of(size_t n)
{
    double *x = fresh(n);
    for (size_t i = 0; i < n; i++) x[i] = 2 * lm_unit(lm_hash4(7, ++drawn, i, 0)) - 1;
    return x;
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

#define ACT(p) ((bk_act *)(p))
#define ACC(p) ((bk_acc *)(p))
#define INT(p) ((bk_int *)(p))

/* Compare finite differences of f in x with `grad`, at up to 24 elements spread over x. */
static void compare(const char *what, double (*f)(void), double *x, const double *grad, size_t n)
{
    const double h = 1e-5;
    double worst = 0, size = 0;
    size_t step = n / 24 + 1;
    for (size_t i = lm_hash4(3, n, 0, 0) % step; i < n; i += step) {
        double keep = x[i];
        x[i] = keep + h;
        double up = f();
        x[i] = keep - h;
        double down = f();
        x[i] = keep;
        double slope = (up - down) / (2 * h);
        worst = fmax(worst, fabs(slope - grad[i]));
        size = fmax(size, fabs(slope));
    }
    if (!(worst <= 2e-8 * fmax(1, size)))
        fprintf(stderr, "%s: off by %g of %g\n", what, worst, size);
    CHECK(worst <= 2e-8 * fmax(1, size));
    CHECK(size > 0);
}

/* Inputs of the function under test. */
static size_t N, I, O, H, K, D;
#define SCALE (1 / sqrt((double)D))
static double *x, *w, *y, *weigh, *stat, *q, *k, *v, *up;
static int32_t *ids;
static bk_spans spans;

static double f_linear(void)
{
    b->linear(b, ACT(y), ACT(x), ACT(w), N, I, O, false);
    return dot(y, weigh, N * O);
}

static void test_linear(size_t n, size_t in, size_t out)
{
    N = n;
    I = in;
    O = out;
    x = random_of(n * in);
    w = random_of(out * in);
    y = fresh(n * out);
    weigh = random_of(n * out);
    double *dx = fresh(n * in), *dw = fresh(out * in);
    b->linear_dx(b, ACT(dx), ACT(weigh), ACT(w), n, in, out, false);
    b->linear_dw(b, ACC(dw), ACT(weigh), ACT(x), n, in, out);
    compare("linear dx", f_linear, x, dx, n * in);
    compare("linear dw", f_linear, w, dw, out * in);
    double before = dw[0], one = dx[0];
    b->linear_dx(b, ACT(dx), ACT(weigh), ACT(w), n, in, out, true);
    b->linear_dw(b, ACC(dw), ACT(weigh), ACT(x), n, in, out);
    CHECK(fabs(dw[0] - 2 * before) < 1e-9 && fabs(dx[0] - 2 * one) < 1e-9);
    release();
}

/* y = bias + what was in it. */
static double f_bias(void)
{
    memcpy(y, x, N * O * sizeof *y);
    b->bias(b, ACT(y), ACT(w), N, O);
    return dot(y, weigh, N * O);
}

static void test_bias(size_t n, size_t out)
{
    N = n;
    O = out;
    x = random_of(n * out);
    w = random_of(out);
    y = fresh(n * out);
    weigh = random_of(n * out);
    double *dw = fresh(out), *parts = fresh(out);
    f_bias();
    for (size_t i = 0; i < n * out; i += n * out / 7 + 1) CHECK(y[i] == x[i] + w[i % out]);
    b->bias_back(b, ACC(dw), ACT(weigh), n, out);
    compare("bias", f_bias, w, dw, out);
    /* Added, and in slices: the same bits. */
    size_t cut = n > BK_BLOCK ? BK_BLOCK : 0;
    memcpy(parts, dw, out * sizeof *parts);
    b->bias_back(b, ACC(dw), ACT(weigh), n, out);
    b->bias_back(b, ACC(parts), ACT(weigh), cut, out);
    b->bias_back(b, ACC(parts), ACT(weigh + cut * out), n - cut, out);
    CHECK(!memcmp(dw, parts, out * sizeof *dw));
    release();
}

static double f_rmsnorm(void)
{
    b->rmsnorm(b, ACT(y), ACC(stat), ACT(x), ACT(w), N, I, 1e-5);
    return dot(y, weigh, N * I);
}

static void test_rmsnorm(size_t n, size_t dim)
{
    N = n;
    I = dim;
    x = random_of(n * dim);
    w = random_of(dim);
    y = fresh(n * dim);
    weigh = random_of(n * dim);
    stat = fresh(n);
    double *dx = fresh(n * dim), *dw = fresh(dim);
    f_rmsnorm();
    b->rmsnorm_back(b, ACT(dx), ACC(dw), ACT(weigh), ACT(x), ACT(w), ACC(stat), n, dim);
    compare("rmsnorm dx", f_rmsnorm, x, dx, n * dim);
    compare("rmsnorm dw", f_rmsnorm, w, dw, dim);
    f_rmsnorm();
    b->rmsnorm(b, ACT(x), ACC(stat), ACT(x), ACT(w), n, dim, 1e-5);
    CHECK(!memcmp(x, y, n * dim * sizeof *x)); /* in place */
    release();
}

static double f_rope(void)
{
    b->rope(b, ACT(y), ACT(x), INT(ids), ACC(w), N, H, D, false, false);
    return dot(y, weigh, N * H * D);
}

static void test_rope(size_t n, size_t heads, size_t d)
{
    N = n;
    H = heads;
    D = d;
    x = random_of(n * heads * d);
    y = fresh(n * heads * d);
    weigh = random_of(n * heads * d);
    w = random_of(n * d);
    ids = (int32_t *)fresh(n);
    for (size_t i = 0; i < n; i++) ids[i] = (int32_t)(n - 1 - i);
    double *dx = fresh(n * heads * d);
    b->rope(b, ACT(dx), ACT(weigh), INT(ids), ACC(w), n, heads, d, true, false);
    compare("rope dx", f_rope, x, dx, n * heads * d);
    double one = dx[n * heads * d - 1];
    b->rope(b, ACT(dx), ACT(weigh), INT(ids), ACC(w), n, heads, d, true, true);
    CHECK(fabs(dx[n * heads * d - 1] - 2 * one) < 1e-12);
    f_rope();
    memcpy(dx, x, n * heads * d * sizeof *dx);
    b->rope(b, ACT(dx), ACT(dx), INT(ids), ACC(w), n, heads, d, false, false);
    CHECK(!memcmp(dx, y, n * heads * d * sizeof *dx));
    release();
}

static double f_attention(void)
{
    b->attention(b, ACT(y), ACC(stat), ACT(q), ACT(k), ACT(v), &spans, H, K, D, SCALE, false);
    return dot(y, weigh, N * H * D);
}

/* Attention by definition, one score at a time: over the spans of one call, or of two
 * calls that were merged. */
static double plain_attention(const double *o, const bk_spans *one, const bk_spans *two)
{
    const bk_spans *calls[2] = { one, two };
    double worst = 0;
    for (size_t i = 0; i < N; i++)
        for (size_t h = 0; h < H; h++) {
            size_t kv = h / (H / K);
            double sum = 0, out[256] = { 0 };
            for (size_t c = 0; c < 2 && calls[c]; c++)
                for (size_t g = 0; g < calls[c]->count; g++) {
                    const bk_span *see = &calls[c]->v[g];
                    if (i < see->q || i >= see->q + see->nq) continue;
                    size_t seen =
                        calls[c]->causal ? see->nk - (see->nq - 1 - (i - see->q)) : see->nk;
                    for (size_t j = see->k; j < see->k + seen; j++) {
                        double e = exp(dot(q + (i * H + h) * D, k + (j * K + kv) * D, D) * SCALE);
                        sum += e;
                        for (size_t e1 = 0; e1 < D; e1++) out[e1] += e * v[(j * K + kv) * D + e1];
                    }
                }
            for (size_t c = 0; c < D; c++)
                worst = fmax(worst, fabs((sum > 0 ? out[c] / sum : 0) - o[(i * H + h) * D + c]));
            if (sum > 0) worst = fmax(worst, fabs(log(sum) - stat[i * H + h]));
            else CHECK(stat[i * H + h] == -INFINITY);
        }
    return worst;
}

static bk_spans second; /* count 0: one call */

static double f_merged(void)
{
    f_attention();
    if (second.count)
        b->attention(b, ACT(y), ACC(stat), ACT(q), ACT(k), ACT(v), &second, H, K, D, SCALE, true);
    return dot(y, weigh, N * H * D);
}

static void test_attention(size_t heads, size_t kv_heads, size_t d, bk_spans first, bk_spans then)
{
    N = first.queries;
    H = heads;
    K = kv_heads;
    D = d;
    spans = first;
    second = then;
    size_t keys = spans.keys;
    q = random_of(N * H * D);
    k = random_of(keys * K * D);
    v = random_of(keys * K * D);
    y = random_of(N * H * D);
    weigh = random_of(N * H * D);
    stat = fresh(N * H);
    double *dq = random_of(N * H * D), *dk = random_of(keys * K * D), *dv = random_of(keys * K * D);
    double *more = random_of(N * H * D), *delta = fresh(N * H);
    f_merged();
    CHECK(plain_attention(y, &spans, second.count ? &second : NULL) < 1e-12);
    b->attention_back(b, ACT(dq), ACT(dk), ACT(dv), ACC(delta), ACT(weigh), ACT(y), ACC(stat),
                      ACT(q), ACT(k), ACT(v), &spans, H, K, D, SCALE, false);
    if (second.count) {
        b->attention_back(b, ACT(more), ACT(dk), ACT(dv), ACC(delta), ACT(weigh), ACT(y), ACC(stat),
                          ACT(q), ACT(k), ACT(v), &second, H, K, D, SCALE, true);
        for (size_t i = 0; i < N * H * D; i++) dq[i] += more[i];
    }
    compare("attention dq", f_merged, q, dq, N * H * D);
    compare("attention dk", f_merged, k, dk, keys * K * D);
    compare("attention dv", f_merged, v, dv, keys * K * D);
    release();
}

/* Causal calls over documents; keys that are older than the queries; and, merged, calls whose
 * queries see all of a span, share its keys, or see nothing. */
static void test_attentions(void)
{
    const bk_spans none = { 0 };
    const bk_span one[] = { { 0, 150, 0, 150 } };
    const bk_span docs[] = {
        { 0, 1, 0, 1 }, { 1, 69, 1, 69 }, { 70, 64, 70, 64 }, { 134, 16, 134, 16 }
    };
    const bk_span older[] = { { 0, 70, 0, 200 } };
    const bk_span chunks[] = { { 0, 50, 0, 50 }, { 50, 50, 50, 50 }, { 100, 50, 100, 50 } };
    const bk_span shared[] = { { 50, 50, 0, 50 }, { 110, 30, 0, 90 } };
    bk_spans whole = { 1, one, true, 150, 150 }, documents = { 4, docs, true, 150, 150 };
    test_attention(4, 2, 8, whole, none);
    test_attention(6, 2, 16, documents, none);
    test_attention(2, 2, 4, documents, none);
    test_attention(1, 1, 128, whole, none);
    test_attention(4, 2, 8, (bk_spans){ 1, older, true, 70, 200 }, none);
    test_attention(2, 1, 8, (bk_spans){ 2, shared, false, 150, 150 }, none);
    test_attention(4, 2, 8, (bk_spans){ 3, chunks, true, 150, 150 },
                   (bk_spans){ 2, shared, false, 150, 150 });
}

static double f_swiglu(void)
{
    b->swiglu(b, ACT(y), ACT(x), ACT(up), N);
    return dot(y, weigh, N);
}

static void test_swiglu(size_t n)
{
    N = n;
    x = random_of(n);
    up = random_of(n);
    y = fresh(n);
    weigh = random_of(n);
    for (size_t i = 0; i < n; i++) x[i] *= 6;
    double *dx = fresh(n), *dup = fresh(n);
    memcpy(dx, weigh, n * sizeof *dx);
    b->swiglu_back(b, ACT(dx), ACT(dup), ACT(dx), ACT(x), ACT(up), n); /* in place, as allowed */
    compare("swiglu dgate", f_swiglu, x, dx, n);
    compare("swiglu dup", f_swiglu, up, dup, n);
    release();
}

static double f_embed(void)
{
    b->embed(b, ACT(y), ACT(w), INT(ids), N, I);
    return dot(y, weigh, N * I);
}

static void test_embed(size_t n, size_t dim, size_t vocab)
{
    N = n;
    I = dim;
    w = random_of(vocab * dim);
    y = fresh(n * dim);
    weigh = random_of(n * dim);
    ids = (int32_t *)fresh(n);
    for (size_t i = 0; i < n; i++) ids[i] = (int32_t)(lm_hash4(1, i, 0, 0) % vocab);
    double *dw = fresh(vocab * dim);
    b->embed_back(b, ACC(dw), ACT(weigh), INT(ids), n, dim);
    compare("embed dtable", f_embed, w, dw, vocab * dim);
    release();
}

static const double scale = 0.37;

static double f_loss(void)
{
    memcpy(y, x, N * I * sizeof *y);
    b->cross_entropy(b, ACC(stat), ACT(y), INT(ids), N, I, 0, false);
    double sum = 0;
    for (size_t i = 0; i < N; i++) sum += stat[i];
    return scale * sum;
}

static void test_loss(size_t n, size_t vocab)
{
    N = n;
    I = vocab;
    x = random_of(n * vocab);
    y = fresh(n * vocab);
    stat = fresh(n);
    ids = (int32_t *)fresh(n);
    for (size_t i = 0; i < n; i++)
        ids[i] = i % 3 == 1 ? -1 : (int32_t)(lm_hash4(2, i, 0, 0) % vocab);
    double *dx = fresh(n * vocab);
    memcpy(dx, x, n * vocab * sizeof *dx);
    b->cross_entropy(b, ACC(stat), ACT(dx), INT(ids), n, vocab, scale, true);
    CHECK(stat[1] == 0 && stat[0] > 0);
    compare("loss dlogits", f_loss, x, dx, n * vocab);
    release();
}

/* AdamW of Loshchilov and Hutter. */
static void test_adamw(size_t n)
{
    double *p = random_of(n), *m = fresh(n), *s = fresh(n), *g = random_of(n), want = p[n - 1],
           mm = 0, vv = 0;
    bk_adamw how = {
        .lr = 1e-2, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1, .scale = 0.5
    };
    for (how.step = 1; how.step <= 5; how.step++) {
        double t = (double)how.step, gi = g[n - 1] * how.scale;
        mm = 0.9 * mm + 0.1 * gi;
        vv = 0.95 * vv + 0.05 * gi * gi;
        want -= how.lr * how.decay * want;
        want -= how.lr * (mm / (1 - pow(0.9, t))) / (sqrt(vv / (1 - pow(0.95, t))) + how.eps);
        b->adamw(b, ACT(p), NULL, ACC(m), ACC(s), ACC(g), n, &how);
    }
    CHECK(fabs(p[n - 1] - want) < 1e-14);
    double sum = dot(g, g, n);
    CHECK(fabs(b->sum_squares(b, ACC(g), n) - sum) <= 1e-12 * sum);
    release();
}

int main(void)
{
    NEED(bk_cpu_open(&b, 1) == 0);
    CHECK_EQ(b->acc_bytes, 8);
    test_linear(7, 5, 3);
    test_linear(300, 24, 40);
    test_linear(3, 1100, 1050);
    test_bias(5, 3);
    test_bias(700, 130);
    test_rmsnorm(5, 8);
    test_rmsnorm(300, 70);
    test_rope(9, 3, 8);
    test_attentions();
    test_swiglu(5000);
    test_embed(50, 33, 7);
    test_loss(7, 90);
    test_adamw(5000);
    b->close(b);
    CHECK_END();
}
