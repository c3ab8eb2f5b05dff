/* Bit-identical with any threads, recomputation, chunking and kept attention; documents under a
 * mask are independent; accumulation gives the sum. */
#include <math.h>

#include "check.h"
#include "lib/base/rng.h"
#include "train/model/model.h"

enum { N = 1200, V = 300 };

static tr_config config = { .dim = 48,
                            .mlp = 112,
                            .layers = 3,
                            .heads = 6,
                            .kv_heads = 2,
                            .head_dim = 8,
                            .vocab = V,
                            .positions = 2048,
                            .norm_eps = 1e-5,
                            .init_std = 0.05,
                            .rope = { .theta = 10000, .attention_factor = 1 } };

static int32_t ids[N], targets[N];
static float losses[N], first_losses[N];

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < N; i++) {
        ids[i] = (int32_t)(lm_hash4(seed, i, 0, 0) % V);
        targets[i] = i + 1 == N ? -1 : (int32_t)(lm_hash4(seed, i + 1, 0, 0) % V);
    }
}

typedef struct result {
    float *numbers; /* all gradients, end to end */
    size_t n;
} result;

/* Gradients of `batch` cut into calls at the rows of `cuts`. */
static result run(int threads, tr_layout l, const tr_batch *parts, size_t n_parts)
{
    backend *b = NULL;
    tr_model *m = NULL;
    NEED(bk_cpu_open(&b, threads) == 0);
    l.train = true;
    l.tokens = l.length = N;
    NEED(tr_model_new(&m, &config, &l, b) == 0);
    NEED(tr_model_init(m, 9) == 0);
    size_t done = 0;
    for (size_t i = 0; i < n_parts; i++) {
        NEED(tr_model_forward_backward(m, &parts[i], 1.0 / N, losses + done) == 0);
        done += parts[i].n;
    }
    result r = { NULL, 0 };
    for (size_t p = 0; p < tr_model_params(m); p++) {
        tr_param *w = tr_model_param(m, p);
        size_t n = tr_param_count(w);
        r.numbers = realloc(r.numbers, (r.n + n) * sizeof *r.numbers);
        NEED(r.numbers);
        b->get_acc(b, r.numbers + r.n, w->grad, n);
        r.n += n;
    }
    tr_model_free(m);
    b->close(b);
    return r;
}

static bool same(result a, result b)
{
    return a.n == b.n && !memcmp(a.numbers, b.numbers, a.n * sizeof *a.numbers);
}

static double distance(result a, result b)
{
    double d = 0, s = 0;
    for (size_t i = 0; i < a.n; i++) {
        d += ((double)a.numbers[i] - (double)b.numbers[i]) *
             ((double)a.numbers[i] - (double)b.numbers[i]);
        s += (double)b.numbers[i] * (double)b.numbers[i];
    }
    return sqrt(d / s);
}

static void test_options(void)
{
    static const uint32_t starts[] = { 0, 700, N };
    tr_batch all = { N, ids, targets, 2, starts, 0 };
    fill(1);
    result want = run(1, (tr_layout){ .slice = 2048 }, &all, 1);
    memcpy(first_losses, losses, sizeof losses);
    struct {
        int threads;
        tr_layout l;
    } ways[] = {
        { 2, { .slice = 2048 } },
        { 3, { .slice = 256 } },
        { 2, { .slice = 2048, .recompute = true } },
        { 1, { .slice = 512, .recompute = true } },
        { 2, { .slice = 256, .recompute = true, .keep_attention = true } },
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        result got = run(ways[i].threads, ways[i].l, &all, 1);
        CHECK(same(got, want));
        CHECK(!memcmp(losses, first_losses, sizeof losses));
        free(got.numbers);
    }
    free(want.numbers);
}

/* A change in document A leaves the losses of document B, which follows it in the row,
 * bit-identical, and a change in B those of A. */
static void test_documents(void)
{
    enum { A = 500 };
    static const uint32_t starts[] = { 0, A, N };
    tr_batch all = { N, ids, targets, 2, starts, 0 };
    fill(1);
    targets[A - 1] = -1;
    free(run(2, (tr_layout){ .slice = 256 }, &all, 1).numbers);
    memcpy(first_losses, losses, sizeof losses);
    ids[3] = (ids[3] + 1) % V;
    free(run(2, (tr_layout){ .slice = 256 }, &all, 1).numbers);
    CHECK(!memcmp(losses + A, first_losses + A, (N - A) * sizeof *losses));
    CHECK(memcmp(losses, first_losses, A * sizeof *losses));
    memcpy(first_losses, losses, sizeof losses);
    ids[A + 3] = (ids[A + 3] + 1) % V;
    free(run(2, (tr_layout){ .slice = 256 }, &all, 1).numbers);
    CHECK(!memcmp(losses, first_losses, A * sizeof *losses));
    CHECK(memcmp(losses + A, first_losses + A, (N - A) * sizeof *losses));
}

/* Two rows in one call, and in two: bit-identical if a row is whole blocks, else to rounding. */
static void test_accumulation(size_t row)
{
    fill(2);
    uint32_t starts[] = { 0, (uint32_t)row, (uint32_t)(2 * row) };
    tr_batch both = { 2 * row, ids, targets, 2, starts, 0 };
    tr_batch apart[] = {
        { row, ids, targets, 1, starts, 0 },
        { row, ids + row, targets + row, 1, starts, 0 },
    };
    tr_layout l = { .slice = 256, .recompute = true };
    result one = run(2, l, &both, 1), two = run(2, l, apart, 2);
    if (row % BK_BLOCK == 0) CHECK(same(one, two));
    CHECK(distance(one, two) < 1e-6);
    free(one.numbers);
    free(two.numbers);
}

/* The memory plan equals what is allocated, and inference needs less. */
static void test_plan(void)
{
    backend *b = NULL;
    NEED(bk_cpu_open(&b, 1) == 0);
    tr_plan keep, again, lean, eval;
    tr_layout l = { .tokens = N, .length = N, .slice = 256, .train = true };
    CHECK_OK(tr_model_plan(&keep, &config, &l, b));
    l.recompute = l.keep_attention = true;
    CHECK_OK(tr_model_plan(&again, &config, &l, b));
    l.keep_attention = false;
    CHECK_OK(tr_model_plan(&lean, &config, &l, b));
    l.train = false;
    CHECK_OK(tr_model_plan(&eval, &config, &l, b));
    CHECK(keep.total > again.total && again.total > lean.total && lean.total > eval.total);
    CHECK_EQ(again.total - lean.total, 4u * (config.layers - 1) * N * (48 + 6));
    size_t weights = (size_t)tr_config_weights(&config) * 4;
    CHECK(keep.bytes[TR_MEM_WEIGHTS] >= weights &&
          keep.bytes[TR_MEM_WEIGHTS] < weights + weights / 20);
    CHECK_EQ(keep.bytes[TR_MEM_OPTIMIZER], 2 * keep.bytes[TR_MEM_WEIGHTS]);
    b->close(b);
}

static void test_refusals(void)
{
    backend *b = NULL;
    tr_model *m = NULL;
    NEED(bk_cpu_open(&b, 1) == 0);
    tr_layout l = { .tokens = 64, .length = 32, .slice = 256 };
    l.slice = 100;
    CHECK(tr_model_new(&m, &config, &l, b) == LM_EUSAGE);
    l.slice = 256;
    NEED(tr_model_new(&m, &config, &l, b) == 0);
    static const uint32_t starts[] = { 0, 33 }, whole[] = { 0, 32 };
    fill(1);
    tr_batch t = { 33, ids, targets, 1, starts, 0 };
    CHECK(tr_model_forward_backward(m, &t, 0, NULL) == LM_EUSAGE); /* a document of 33 */
    t.n = 32;
    t.starts = whole;
    ids[5] = V;
    CHECK(tr_model_forward_backward(m, &t, 0, NULL) == LM_EDATA && strstr(lm_err(), "vocabulary"));
    ids[5] = 1;
    CHECK(tr_model_forward_backward(m, &t, 1, NULL) == LM_EUSAGE); /* no gradients in this layout */
    tr_model_free(m);
    b->close(b);
}

int main(void)
{
    for (int with = 0; with < 2; with++) {
        config.qkv_bias = config.out_bias = config.mlp_bias = config.head_norm = with;
        test_options();
        test_documents();
        test_accumulation(512);
        test_accumulation(300);
        test_plan();
    }
    test_refusals();
    CHECK_END();
}
