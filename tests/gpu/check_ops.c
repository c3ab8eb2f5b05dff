/* Every operation but attention, on the GPU and on the CPU. */
#include "gpu.h"

static uint64_t seed = 100;

static bk_int *ints(backend *b, const int32_t *v, size_t n)
{
    void *p = NULL;
    NEED(b->alloc(b, &p, n * 4) == 0);
    b->put_int(b, p, v, n);
    return p;
}

/* ---- products -------------------------------------------------------------------------- */

static void product(const two *b, size_t n, size_t in, size_t out, bool add)
{
    char what[96];
    backend *g = b->gpu, *c = b->cpu;
    pair x = pair_random(b, n * in, true, 1, ++seed), w = pair_random(b, out * in, true, 1, ++seed);
    pair y = pair_random(b, n * out, true, 1, ++seed), dx = pair_random(b, n * in, true, 1, ++seed);
    pair dw = pair_random(b, out * in, false, 1, ++seed);
    pair dy = pair_random(b, n * out, true, 1, ++seed);
    if (!add) {
        pair_poison(b, &y);
        pair_poison(b, &dx);
    }
    c->linear(c, ACT0(y), ACT0(x), ACT0(w), n, in, out, add);
    g->linear(g, ACT(y), ACT(x), ACT(w), n, in, out, add);
    c->linear_dx(c, ACT0(dx), ACT0(dy), ACT0(w), n, in, out, add);
    g->linear_dx(g, ACT(dx), ACT(dy), ACT(w), n, in, out, add);
    c->linear_dw(c, ACC0(dw), ACT0(dy), ACT0(x), n, in, out);
    g->linear_dw(g, ACC(dw), ACT(dy), ACT(x), n, in, out);
    snprintf(what, sizeof what, "linear %zu %zu %zu%s", n, in, out, add ? " add" : "");
    compare(b, &y, BOUND, what);
    snprintf(what, sizeof what, "linear_dx %zu %zu %zu%s", n, in, out, add ? " add" : "");
    compare(b, &dx, BOUND, what);
    snprintf(what, sizeof what, "linear_dw %zu %zu %zu", n, in, out);
    compare(b, &dw, 1e-4, what);
    pair_free(b, &x), pair_free(b, &w), pair_free(b, &y);
    pair_free(b, &dx), pair_free(b, &dw), pair_free(b, &dy);
}

/* The same call twice, and one call compared with calls on its slices. */
static void product_bits(const two *b, size_t in, size_t out)
{
    backend *g = b->gpu;
    size_t cut = g->block, n = 2 * cut + 300;
    pair x = pair_random(b, n * in, true, 1, ++seed), w = pair_random(b, out * in, true, 1, ++seed);
    pair dy = pair_random(b, n * out, true, 1, ++seed);
    float *y[3], *dx[3], *dw[3];
    for (int way = 0; way < 3; way++) {
        pair to = pair_new(b, n * out, true), to_x = pair_new(b, n * in, true);
        pair to_w = pair_new(b, out * in, false);
        for (size_t at = 0, some; at < n; at += some) {
            some = way < 2 ? n : n - at < cut ? n - at : cut;
            g->linear(g, bk_at(g, ACT(to), at * out), bk_at(g, ACT(x), at * in), ACT(w), some, in,
                      out, false);
            g->linear_dx(g, bk_at(g, ACT(to_x), at * in), bk_at(g, ACT(dy), at * out), ACT(w), some,
                         in, out, false);
            g->linear_dw(g, ACC(to_w), bk_at(g, ACT(dy), at * out), bk_at(g, ACT(x), at * in), some,
                         in, out);
        }
        y[way] = gpu_numbers(b, &to);
        dx[way] = gpu_numbers(b, &to_x);
        dw[way] = gpu_numbers(b, &to_w);
        pair_free(b, &to), pair_free(b, &to_x), pair_free(b, &to_w);
    }
    for (int way = 1; way < 3; way++) {
        CHECK(same_bits(y[0], y[way], n * out));
        CHECK(same_bits(dx[0], dx[way], n * in));
        CHECK(same_bits(dw[0], dw[way], out * in));
    }
    for (int way = 0; way < 3; way++) free(y[way]), free(dx[way]), free(dw[way]);
    pair_free(b, &x), pair_free(b, &w), pair_free(b, &dy);
}

/* ---- norm, rotation, gate -------------------------------------------------------------- */

static void bias(const two *b, size_t n, size_t out)
{
    backend *g = b->gpu, *c = b->cpu;
    pair y = pair_random(b, n * out, true, 1, ++seed), w = pair_random(b, out, true, 1, ++seed);
    pair dy = pair_random(b, n * out, true, 1, ++seed), dw = pair_random(b, out, false, 1, ++seed);
    float *before = gpu_numbers(b, &dw);
    c->bias(c, ACT0(y), ACT0(w), n, out);
    g->bias(g, ACT(y), ACT(w), n, out);
    compare(b, &y, BOUND, "bias");
    c->bias_back(c, ACC0(dw), ACT0(dy), n, out);
    g->bias_back(g, ACC(dw), ACT(dy), n, out);
    compare(b, &dw, 1e-4, "bias_back");
    /* In two slices: bit-identical. */
    float *whole = gpu_numbers(b, &dw);
    size_t cut = g->block < n ? g->block : 0;
    g->put_acc(g, ACC(dw), before, out);
    g->bias_back(g, ACC(dw), ACT(dy), cut, out);
    g->bias_back(g, ACC(dw), bk_at(g, ACT(dy), cut * out), n - cut, out);
    float *parts = gpu_numbers(b, &dw);
    CHECK(same_bits(whole, parts, out));
    free(before), free(whole), free(parts);
    pair_free(b, &y), pair_free(b, &w), pair_free(b, &dy), pair_free(b, &dw);
}

static void norm(const two *b, size_t n, size_t dim)
{
    backend *g = b->gpu, *c = b->cpu;
    pair x = pair_random(b, n * dim, true, 2, ++seed), w = pair_random(b, dim, true, 1, ++seed);
    pair y = pair_new(b, n * dim, true), rstd = pair_new(b, n, false);
    pair dy = pair_random(b, n * dim, true, 1, ++seed);
    pair dx = pair_random(b, n * dim, true, 1, ++seed), dw = pair_random(b, dim, false, 1, ++seed);
    float *before = gpu_numbers(b, &dw);
    pair_poison(b, &y);
    pair_poison(b, &rstd);
    c->rmsnorm(c, ACT0(y), ACC0(rstd), ACT0(x), ACT0(w), n, dim, 1e-5);
    g->rmsnorm(g, ACT(y), ACC(rstd), ACT(x), ACT(w), n, dim, 1e-5);
    compare(b, &y, BOUND, "rmsnorm");
    compare(b, &rstd, 1e-5, "rmsnorm rstd");
    c->rmsnorm_back(c, ACT0(dx), ACC0(dw), ACT0(dy), ACT0(x), ACT0(w), ACC0(rstd), n, dim);
    g->rmsnorm_back(g, ACT(dx), ACC(dw), ACT(dy), ACT(x), ACT(w), ACC(rstd), n, dim);
    compare(b, &dx, BOUND, "rmsnorm_back dx");
    compare(b, &dw, 1e-4, "rmsnorm_back dw");
    pair same = pair_new(b, n * dim, true);
    g->copy_act(g, ACT(same), ACT(x), n * dim);
    g->rmsnorm(g, ACT(same), ACC(rstd), ACT(same), ACT(w), n, dim, 1e-5);
    float *apart = gpu_numbers(b, &y), *in_place = gpu_numbers(b, &same);
    CHECK(same_bits(apart, in_place, n * dim));
    free(apart), free(in_place);
    pair_free(b, &same);
    /* In two slices: dw is bit-identical. */
    float *whole = gpu_numbers(b, &dw);
    size_t cut = g->block < n ? g->block : 0;
    g->put_acc(g, ACC(dw), before, dim);
    if (cut) g->rmsnorm_back(g, ACT(dx), ACC(dw), ACT(dy), ACT(x), ACT(w), ACC(rstd), cut, dim);
    g->rmsnorm_back(g, bk_at(g, ACT(dx), cut * dim), ACC(dw), bk_at(g, ACT(dy), cut * dim),
                    bk_at(g, ACT(x), cut * dim), ACT(w), bk_acc_at(g, ACC(rstd), cut), n - cut,
                    dim);
    float *parts = gpu_numbers(b, &dw);
    CHECK(same_bits(whole, parts, dim));
    free(before), free(whole), free(parts);
    pair_free(b, &x), pair_free(b, &w), pair_free(b, &y), pair_free(b, &rstd);
    pair_free(b, &dy), pair_free(b, &dx), pair_free(b, &dw);
}

static void rotation(const two *b, size_t n, size_t heads, size_t d)
{
    enum { POSITIONS = 64 };
    backend *g = b->gpu, *c = b->cpu;
    int32_t *pos = malloc(n * sizeof *pos);
    NEED(pos);
    for (size_t i = 0; i < n; i++) pos[i] = (int32_t)(lm_hash4(7, i, 0, 0) % POSITIONS);
    bk_int *gp = ints(g, pos, n), *cp = ints(c, pos, n);
    pair table = pair_random(b, POSITIONS * d, false, 1, ++seed);
    pair x = pair_random(b, n * heads * d, true, 1, ++seed);
    for (int way = 0; way < 4; way++) {
        bool back = way & 1, add = way & 2;
        pair y = pair_random(b, n * heads * d, true, 1, ++seed);
        if (!add) pair_poison(b, &y);
        c->rope(c, ACT0(y), ACT0(x), cp, ACC0(table), n, heads, d, back, add);
        g->rope(g, ACT(y), ACT(x), gp, ACC(table), n, heads, d, back, add);
        compare(b, &y, BOUND, "rope");
        pair_free(b, &y);
    }
    c->rope(c, ACT0(x), ACT0(x), cp, ACC0(table), n, heads, d, false, false);
    g->rope(g, ACT(x), ACT(x), gp, ACC(table), n, heads, d, false, false);
    compare(b, &x, BOUND, "rope in place");
    c->free(c, cp, n * 4);
    g->free(g, gp, n * 4);
    free(pos);
    pair_free(b, &table), pair_free(b, &x);
}

static void gate(const two *b, size_t n)
{
    backend *g = b->gpu, *c = b->cpu;
    pair x = pair_random(b, n, true, 30, ++seed), u = pair_random(b, n, true, 1, ++seed);
    pair dy = pair_random(b, n, true, 1, ++seed);
    pair y = pair_new(b, n, true), du = pair_new(b, n, true);
    pair_poison(b, &y);
    pair_poison(b, &du);
    c->swiglu(c, ACT0(y), ACT0(x), ACT0(u), n);
    g->swiglu(g, ACT(y), ACT(x), ACT(u), n);
    compare(b, &y, BOUND, "swiglu");
    c->swiglu_back(c, ACT0(dy), ACT0(du), ACT0(dy), ACT0(x), ACT0(u), n);
    g->swiglu_back(g, ACT(dy), ACT(du), ACT(dy), ACT(x), ACT(u), n);
    compare(b, &dy, BOUND, "swiglu_back dgate");
    compare(b, &du, BOUND, "swiglu_back dup");
    pair_free(b, &x), pair_free(b, &u), pair_free(b, &y), pair_free(b, &dy), pair_free(b, &du);
}

/* ---- embedding and loss ---------------------------------------------------------------- */

static void embedding(const two *b, size_t n, size_t vocab, size_t dim)
{
    backend *g = b->gpu, *c = b->cpu;
    int32_t *id = malloc(n * sizeof *id);
    NEED(id);
    for (size_t i = 0; i < n; i++) id[i] = (int32_t)(lm_hash4(9, i, 0, 0) % 3 ? i % 5 : i % vocab);
    bk_int *gi = ints(g, id, n), *ci = ints(c, id, n);
    pair table = pair_random(b, vocab * dim, true, 1, ++seed), x = pair_new(b, n * dim, true);
    pair dx = pair_random(b, n * dim, true, 1, ++seed);
    pair dt = pair_random(b, vocab * dim, false, 1, ++seed);
    float *before = gpu_numbers(b, &dt);
    pair_poison(b, &x);
    c->embed(c, ACT0(x), ACT0(table), ci, n, dim);
    g->embed(g, ACT(x), ACT(table), gi, n, dim);
    compare(b, &x, 0, "embed");
    c->embed_back(c, ACC0(dt), ACT0(dx), ci, n, dim);
    g->embed_back(g, ACC(dt), ACT(dx), gi, n, dim);
    compare(b, &dt, 1e-6, "embed_back");
    float *whole = gpu_numbers(b, &dt);
    g->put_acc(g, ACC(dt), before, vocab * dim);
    size_t cut = n / 2;
    g->embed_back(g, ACC(dt), ACT(dx), gi, cut, dim);
    g->embed_back(g, ACC(dt), bk_at(g, ACT(dx), cut * dim), bk_int_at(gi, cut), n - cut, dim);
    float *parts = gpu_numbers(b, &dt);
    CHECK(same_bits(whole, parts, vocab * dim));
    free(before), free(whole), free(parts), free(id);
    c->free(c, ci, n * 4);
    g->free(g, gi, n * 4);
    pair_free(b, &table), pair_free(b, &x), pair_free(b, &dx), pair_free(b, &dt);
}

static void loss(const two *b, size_t n, size_t vocab)
{
    backend *g = b->gpu, *c = b->cpu;
    int32_t *want = malloc(n * sizeof *want);
    NEED(want);
    for (size_t i = 0; i < n; i++)
        want[i] = i % 7 == 3 ? -1 : (int32_t)(lm_hash4(4, i, 0, 0) % vocab);
    bk_int *gt = ints(g, want, n), *ct = ints(c, want, n);
    pair l = pair_new(b, n, false);
    for (int grad = 0; grad < 2; grad++) { /* without the gradient, the logits are lost */
        pair logits = pair_random(b, n * vocab, true, 8, ++seed);
        pair_poison(b, &l);
        c->cross_entropy(c, ACC0(l), ACT0(logits), ct, n, vocab, 1e-4, grad);
        g->cross_entropy(g, ACC(l), ACT(logits), gt, n, vocab, 1e-4, grad);
        compare(b, &l, 1e-4, "cross_entropy");
        if (grad) compare(b, &logits, BOUND, "cross_entropy gradient");
        pair_free(b, &logits);
    }
    c->free(c, ct, n * 4);
    g->free(g, gt, n * 4);
    free(want);
    pair_free(b, &l);
}

/* ---- optimizer, sums, memory ----------------------------------------------------------- */

static void optimizer(const two *b, size_t n)
{
    backend *g = b->gpu, *c = b->cpu;
    bk_adamw how = {
        .lr = 1e-2, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1, .scale = 0.5
    };
    pair w = pair_random(b, n, true, 1, ++seed), grad = pair_random(b, n, false, 1, ++seed);
    pair m = pair_new(b, n, false), v = pair_new(b, n, false), master = pair_new(b, n, false);
    float *x = gpu_numbers(b, &w);
    g->put_acc(g, ACC(master), x, n);
    free(x);
    for (how.step = 1; how.step <= 5; how.step++) {
        c->adamw(c, ACT0(w), NULL, ACC0(m), ACC0(v), ACC0(grad), n, &how);
        g->adamw(g, ACT(w), ACC(master), ACC(m), ACC(v), ACC(grad), n, &how);
    }
    compare(b, &m, 1e-5, "adamw m");
    compare(b, &v, 1e-5, "adamw v");
    compare(b, &w, BOUND, "adamw w");
    float *exact = cpu_numbers(b, &w), *got = gpu_numbers(b, &master);
    CHECK(distance(got, exact, n, 0) <= 1e-5);
    double want = c->sum_squares(c, ACC0(grad), n), sum = g->sum_squares(g, ACC(grad), n);
    CHECK(fabs(sum - want) <= 1e-12 * want);
    CHECK(sum == g->sum_squares(g, ACC(grad), n));
    free(exact), free(got);
    pair_free(b, &w), pair_free(b, &grad), pair_free(b, &m), pair_free(b, &v);
    pair_free(b, &master);
}

static void memory(const two *b)
{
    enum { N = 100003 };
    backend *g = b->gpu;
    pair x = pair_random(b, N, true, 1, ++seed), y = pair_new(b, N, true);
    float *zero = gpu_numbers(b, &y), *want = gpu_numbers(b, &x);
    bool none = true;
    for (size_t i = 0; i < N; i++) none = none && zero[i] == 0;
    CHECK(none); /* new memory is zero */
    g->copy_act(g, ACT(y), ACT(x), N);
    float *got = gpu_numbers(b, &y);
    CHECK(same_bits(got, want, N));
    free(got);
    void *host = NULL;
    NEED(g->alloc_host(g, &host, N * g->act_bytes) == 0);
    for (int lane = 0; lane < BK_LANES; lane++) {
        g->zero_act(g, ACT(y), N);
        g->store(g, host, ACT(x), N * g->act_bytes, lane);
        g->fetch(g, ACT(y), host, N * g->act_bytes, lane);
        g->join(g, lane);
        got = gpu_numbers(b, &y);
        CHECK(same_bits(got, want, N));
        free(got);
    }
    g->free_host(g, host, N * g->act_bytes);
    void *p = NULL;
    CHECK(g->alloc(g, &p, (size_t)1 << 50) == LM_ENOMEM && strstr(lm_err(), "out of memory"));
    CHECK(g->available(g) > 0);
    CHECK_OK(g->finish(g));
    free(zero), free(want);
    pair_free(b, &x), pair_free(b, &y);
}

void check_operations(const two *b)
{
    product(b, 1, 64, 96, false);
    product(b, 7, 48, 112, true);
    product(b, 300, 128, 300, false);
    product(b, b->gpu->block + 77, 96, 33, true);
    product_bits(b, 64, 96);
    product_bits(b, 48, 300);
    bias(b, 1, 8);
    bias(b, 37, 33);
    bias(b, b->gpu->block + 300, 96);
    norm(b, 5, 48);
    norm(b, 3, 4096);
    norm(b, b->gpu->block + 300, 100);
    rotation(b, 37, 3, 8);
    rotation(b, 5, 2, 128);
    gate(b, 1000);
    gate(b, 8 * 4099 + 3);
    embedding(b, 700, 60, 48);
    embedding(b, 300, 1000, 300);
    loss(b, 40, 300);
    loss(b, 9, 32000);
    optimizer(b, 70001);
    memory(b);
}
