/* Attention on the GPU and on the CPU: heads of many sizes, spans of many forms. */
#include "gpu.h"

typedef struct test_case {
    const char *name;
    size_t heads, kv_heads, d, queries, keys, count;
    bool causal;
    bk_span v[8];
} test_case;

static const test_case cases[] = {
    { "one document", 4, 2, 64, 300, 300, 1, true, { { 0, 300, 0, 300 } } },
    { "one token", 4, 2, 64, 1, 1, 1, true, { { 0, 1, 0, 1 } } },
    { "heads of 8", 6, 2, 8, 130, 130, 1, true, { { 0, 130, 0, 130 } } },
    { "heads of 4", 2, 1, 4, 70, 70, 1, true, { { 0, 70, 0, 70 } } },
    { "heads of 12", 3, 3, 12, 70, 70, 1, true, { { 0, 70, 0, 70 } } },
    { "heads of 24", 4, 4, 24, 200, 200, 1, true, { { 0, 200, 0, 200 } } },
    { "heads of 80", 4, 1, 80, 129, 129, 1, true, { { 0, 129, 0, 129 } } },
    { "heads of 128", 8, 8, 128, 257, 257, 1, true, { { 0, 257, 0, 257 } } },
    { "heads of 256", 2, 1, 256, 65, 65, 1, true, { { 0, 65, 0, 65 } } },
    { "three documents",
      4,
      2,
      64,
      400,
      400,
      3,
      true,
      { { 0, 129, 0, 129 }, { 129, 1, 129, 1 }, { 130, 270, 130, 270 } } },
    { "queries in no span",
      4,
      2,
      16,
      300,
      310,
      2,
      true,
      { { 10, 100, 3, 120 }, { 200, 64, 130, 64 } } },
    { "keys of a cache", 4, 2, 64, 37, 500, 1, true, { { 0, 37, 0, 500 } } },
    { "decoding", 8, 2, 128, 1, 777, 1, true, { { 0, 1, 0, 777 } } },
    { "all keys seen", 4, 4, 32, 100, 90, 1, false, { { 0, 100, 0, 90 } } },
    { "chunks before",
      4,
      2,
      64,
      300,
      300,
      2,
      false,
      { { 100, 100, 0, 100 }, { 200, 100, 100, 100 } } },
    { "shared keys",
      4,
      2,
      64,
      500,
      500,
      3,
      false,
      { { 200, 100, 0, 100 }, { 300, 100, 0, 200 }, { 400, 100, 0, 300 } } },
    { "longer than a tile", 2, 1, 32, 1500, 1500, 1, true, { { 0, 1500, 0, 1500 } } },
};

typedef struct tensors {
    pair q, k, v, o, lse, dout, dq, dk, dv, delta;
} tensors;

static tensors make(const two *b, const test_case *s)
{
    size_t q = s->queries * s->heads * s->d, k = s->keys * s->kv_heads * s->d;
    size_t rows = s->queries * s->heads;
    return (tensors){ pair_random(b, q, true, 1, 1), pair_random(b, k, true, 1, 2),
                      pair_random(b, k, true, 1, 3), pair_new(b, q, true),
                      pair_new(b, rows, false),      pair_random(b, q, true, 1, 4),
                      pair_new(b, q, true),          pair_random(b, k, true, 1, 5),
                      pair_random(b, k, true, 1, 6), pair_new(b, rows, false) };
}

static void drop(const two *b, tensors *t)
{
    pair *all[] = {
        &t->q, &t->k, &t->v, &t->o, &t->lse, &t->dout, &t->dq, &t->dk, &t->dv, &t->delta
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) pair_free(b, all[i]);
}

static void forward(const two *b, const test_case *s, const tensors *t, const bk_spans *spans,
                    bool merge)
{
    backend *g = b->gpu, *c = b->cpu;
    double scale = 1 / sqrt((double)s->d);
    c->attention(c, ACT0(t->o), ACC0(t->lse), ACT0(t->q), ACT0(t->k), ACT0(t->v), spans, s->heads,
                 s->kv_heads, s->d, scale, merge);
    g->attention(g, ACT(t->o), ACC(t->lse), ACT(t->q), ACT(t->k), ACT(t->v), spans, s->heads,
                 s->kv_heads, s->d, scale, merge);
}

static void backward(backend *x, const test_case *s, const tensors *t, const bk_spans *spans,
                     bool add)
{
    double scale = 1 / sqrt((double)s->d);
    if (!strcmp(x->name, "cpu"))
        x->attention_back(x, ACT0(t->dq), ACT0(t->dk), ACT0(t->dv), ACC0(t->delta), ACT0(t->dout),
                          ACT0(t->o), ACC0(t->lse), ACT0(t->q), ACT0(t->k), ACT0(t->v), spans,
                          s->heads, s->kv_heads, s->d, scale, add);
    else
        x->attention_back(x, ACT(t->dq), ACT(t->dk), ACT(t->dv), ACC(t->delta), ACT(t->dout),
                          ACT(t->o), ACC(t->lse), ACT(t->q), ACT(t->k), ACT(t->v), spans, s->heads,
                          s->kv_heads, s->d, scale, add);
}

static void show(const two *b, const test_case *s, const pair *p, const char *what, double bound)
{
    char text[96];
    snprintf(text, sizeof text, "%s, %s", s->name, what);
    compare_least(b, p, bound, 1e-3, text);
}

/* Results of a call on the GPU, concatenated, to compare two calls. */
static float *results(const two *b, const tensors *t, size_t *n)
{
    const pair *all[] = { &t->o, &t->lse, &t->dq, &t->dk, &t->dv };
    float *v = NULL;
    *n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        float *x = gpu_numbers(b, all[i]);
        NEED(v = realloc(v, (*n + all[i]->n) * sizeof *v));
        memcpy(v + *n, x, all[i]->n * sizeof *v);
        *n += all[i]->n;
        free(x);
    }
    return v;
}

static void check_case(const two *b, const test_case *s)
{
    bk_spans spans = { s->count, s->v, s->causal, s->queries, s->keys };
    backend *g = b->gpu;
    tensors t = make(b, s);
    float *first = NULL;
    size_t n = 0, m = 0;
    for (int time = 0; time < 2; time++) {
        pair_poison(b, &t.o);
        pair_poison(b, &t.lse);
        forward(b, s, &t, &spans, false);
        if (!time) {
            show(b, s, &t.o, "o", BOUND);
            show(b, s, &t.lse, "lse", 1e-3);
        }
        pair_from_cpu(b, &t.o);
        pair_from_cpu(b, &t.lse);
        pair_poison(b, &t.dq);
        pair_poison(b, &t.dk);
        pair_poison(b, &t.dv);
        backward(b->cpu, s, &t, &spans, false);
        backward(g, s, &t, &spans, false);
        if (!time) {
            show(b, s, &t.dq, "dq", BOUND);
            show(b, s, &t.dk, "dk", BOUND);
            show(b, s, &t.dv, "dv", BOUND);
            first = results(b, &t, &n);
        }
    }
    float *second = results(b, &t, &m);
    CHECK(n == m && same_bits(first, second, n));
    free(first), free(second);
    /* Accumulated, and merged with attention to other keys: here the same keys, which leaves o
     * unchanged and adds log 2 to the log-sum-exp. */
    pair_from_cpu(b, &t.dk);
    pair_from_cpu(b, &t.dv);
    backward(b->cpu, s, &t, &spans, true);
    backward(g, s, &t, &spans, true);
    show(b, s, &t.dq, "dq again", BOUND);
    show(b, s, &t.dk, "dk added", BOUND);
    show(b, s, &t.dv, "dv added", BOUND);
    forward(b, s, &t, &spans, true);
    show(b, s, &t.o, "o merged", BOUND);
    show(b, s, &t.lse, "lse merged", 1e-3);
    drop(b, &t);
    CHECK_OK(g->finish(g));
}

/* The three calls of Dual Chunk Attention, merged, and the sum of their gradients. */
static void check_three(const two *b)
{
    enum { S = 64, N = 5 * S + 17 };
    test_case s = { "three calls", 4, 2, 32, N, N, 0, false, { { 0 } } };
    bk_span v[3][8];
    bk_spans calls[3] = { { 0, v[0], true, N, N },
                          { 0, v[1], false, N, N },
                          { 0, v[2], false, N, N } };
    for (size_t at = 0; at < N; at += S) {
        size_t n = N - at < S ? N - at : S;
        v[0][calls[0].count++] = (bk_span){ at, n, at, n };
        if (at) v[1][calls[1].count++] = (bk_span){ at, n, at - S, S };
        if (at > S) v[2][calls[2].count++] = (bk_span){ at, n, 0, at - S };
    }
    tensors t = make(b, &s);
    pair_poison(b, &t.o);
    for (int i = 0; i < 3; i++) forward(b, &s, &t, &calls[i], i > 0);
    show(b, &s, &t.o, "o", BOUND);
    show(b, &s, &t.lse, "lse", 1e-3);
    pair_from_cpu(b, &t.o);
    pair_from_cpu(b, &t.lse);
    for (int i = 0; i < 3; i++) {
        backward(b->cpu, &s, &t, &calls[i], i > 0);
        backward(b->gpu, &s, &t, &calls[i], i > 0);
        show(b, &s, &t.dq, "dq", BOUND);
    }
    show(b, &s, &t.dk, "dk", BOUND);
    show(b, &s, &t.dv, "dv", BOUND);
    drop(b, &t);
    CHECK_OK(b->gpu->finish(b->gpu));
}

void check_attention(const two *b, const char *kind)
{
    (void)kind;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(b, &cases[i]);
    check_three(b);
}
