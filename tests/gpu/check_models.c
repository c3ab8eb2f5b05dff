/* Whole models on the GPU and on the CPU: losses, every gradient, steps of AdamW; what must be
 * bit-identical; inference with a KV cache. */
#include "gpu.h"

#include "train/model/optimizer.h"
#include "train/model/state.h"

enum { V = 300, N = 700, STEPS = 5 };

/* Gradients are bfloat16 in every layer. */
#define GRADIENT_BOUND 3e-2

typedef struct form {
    const char *name;
    tr_config c;
    attn_form attention;
    size_t count;
    uint32_t starts[5];
} form;

#define ROPE                                  \
    {                                         \
        .theta = 10000, .attention_factor = 1 \
    }

static const form forms[] = {
    { "plain",
      { .dim = 64,
        .mlp = 160,
        .layers = 2,
        .heads = 4,
        .kv_heads = 4,
        .head_dim = 16,
        .vocab = V,
        .positions = N,
        .norm_eps = 1e-5,
        .init_std = 0.05,
        .rope = ROPE },
      { 0 },
      1,
      { 0, N } },
    { "grouped, tied, documents",
      { .dim = 96,
        .mlp = 112,
        .layers = 3,
        .heads = 6,
        .kv_heads = 2,
        .head_dim = 16,
        .vocab = V,
        .positions = N,
        .norm_eps = 1e-5,
        .init_std = 0.05,
        .tied = true,
        .rope = ROPE },
      { 0 },
      4,
      { 0, 129, 130, 400, N } },
    { "heads of 12",
      { .dim = 48,
        .mlp = 100,
        .layers = 2,
        .heads = 4,
        .kv_heads = 2,
        .head_dim = 12,
        .vocab = V,
        .positions = N,
        .norm_eps = 1e-5,
        .init_std = 0.05,
        .rope = ROPE },
      { 0 },
      1,
      { 0, N } },
    { "dual chunks",
      { .dim = 64,
        .mlp = 160,
        .layers = 2,
        .heads = 4,
        .kv_heads = 2,
        .head_dim = 16,
        .vocab = V,
        .positions = 128,
        .norm_eps = 1e-5,
        .init_std = 0.05,
        .rope = ROPE },
      { .stride = 96, .clamp = 127, .successive = true, .inter = true },
      2,
      { 0, 300, N } },
    { "biases",
      { .dim = 64,
        .mlp = 160,
        .layers = 2,
        .heads = 4,
        .kv_heads = 2,
        .head_dim = 16,
        .vocab = V,
        .positions = N,
        .norm_eps = 1e-5,
        .init_std = 0.05,
        .qkv_bias = true,
        .out_bias = true,
        .mlp_bias = true,
        .rope = ROPE },
      { 0 },
      2,
      { 0, 300, N } },
    { "norms of heads, dual chunks",
      { .dim = 48,
        .mlp = 100,
        .layers = 2,
        .heads = 4,
        .kv_heads = 2,
        .head_dim = 16,
        .vocab = V,
        .positions = 128,
        .norm_eps = 1e-5,
        .init_std = 0.05,
        .qkv_bias = true,
        .head_norm = true,
        .rope = ROPE },
      { .stride = 96, .clamp = 127, .successive = true, .inter = true },
      1,
      { 0, N } },
};

static int32_t ids[8192], targets[8192];

static void fill(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ids[i] = (int32_t)(lm_hash4(1, i, 0, 0) % 16 ? i * 7 % V : lm_hash4(2, i, 0, 0) % V);
        targets[i] = i + 1 == n ? -1 : (int32_t)(i * 7 + 7) % V;
    }
}

static tr_layout layout_of(const form *f, size_t n)
{
    return (tr_layout){
        .tokens = n, .length = n, .slice = 2048, .train = true, .attention = f->attention
    };
}

static tr_model *model_of(backend *b, const form *f, const tr_layout *l)
{
    tr_model *m = NULL;
    NEED(tr_model_new(&m, &f->c, l, b) == 0);
    NEED(tr_model_init(m, 9) == 0);
    return m;
}

/* Copy the GPU model's weights to the CPU model. Norms and biases move: 1 and 0 test less. */
static void equal_weights(tr_model *cpu, tr_model *gpu)
{
    backend *g = tr_model_backend(gpu);
    for (size_t i = 0; i < tr_model_params(gpu); i++) {
        tr_param *from = tr_model_param(gpu, i), *to = tr_model_param(cpu, i);
        size_t n = tr_param_count(from);
        float *x = malloc(n * sizeof *x);
        NEED(x);
        g->get_act(g, x, from->w, n);
        for (size_t k = 0; from->vector && k < n; k++)
            x[k] += (float)lm_unit(lm_hash4(3, i, k, 0)) / 4;
        tr_weights_put(cpu, to, 0, x, n);
        tr_weights_put(gpu, from, 0, x, n);
        free(x);
    }
}

static float *tensor(tr_model *m, size_t i, bool gradient, size_t *n)
{
    backend *b = tr_model_backend(m);
    const tr_param *p = tr_model_param(m, i);
    *n = tr_param_count(p);
    float *x = malloc(*n * sizeof *x);
    NEED(x);
    if (gradient) b->get_acc(b, x, p->grad, *n);
    else NEED(tr_weights_get(m, p, 0, x, *n) == 0);
    return x;
}

/* Every tensor within a bound. */
static void compare_tensors(const char *name, tr_model *cpu, tr_model *gpu, bool gradient,
                            double bound)
{
    for (size_t i = 0; i < tr_model_params(gpu); i++) {
        size_t n = 0;
        float *want = tensor(cpu, i, gradient, &n), *got = tensor(gpu, i, gradient, &n);
        double d = distance(got, want, n, 0);
        if (!(d <= bound))
            printf("  FAR %s, %s of %s: %.3g\n", name, gradient ? "gradient" : "weights",
                   tr_model_param(gpu, i)->name, d);
        else if (getenv("LM_GPU_VERBOSE"))
            printf("  %-24s %s %.3g\n", name, tr_model_param(gpu, i)->name, d);
        CHECK(d <= bound);
        free(want), free(got);
    }
}

static double mean(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i];
    return sum / (double)n;
}

static void check_training(const two *b, const form *f)
{
    tr_layout l = layout_of(f, N);
    tr_model *cpu = model_of(b->cpu, f, &l), *gpu = model_of(b->gpu, f, &l);
    tr_batch t = { N, ids, targets, f->count, f->starts, 0 };
    tr_optimizer o = {
        .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1, .clip = 1
    };
    static float want[N], got[N];
    fill(N);
    equal_weights(cpu, gpu);
    for (uint64_t s = 1; s <= STEPS; s++) {
        NEED(tr_model_forward_backward(cpu, &t, 1.0 / N, want) == 0);
        NEED(tr_model_forward_backward(gpu, &t, 1.0 / N, got) == 0);
        if (s == 1) {
            CHECK(distance(got, want, N, 0) <= BOUND);
            compare_tensors(f->name, cpu, gpu, true, GRADIENT_BOUND);
        }
        CHECK(fabs(mean(got, N) - mean(want, N)) <= BOUND * mean(want, N));
        double norm = 0, norm0 = 0;
        NEED(tr_reduce(gpu, &norm) == 0 && tr_reduce(cpu, &norm0) == 0);
        if (s == 1) CHECK(fabs(norm - norm0) <= BOUND * norm0);
        if (getenv("LM_GPU_VERBOSE"))
            printf("  step %" PRIu64 ": norm %g, the CPU's %g; loss %g, %g\n", s, norm, norm0,
                   mean(got, N), mean(want, N));
        NEED(tr_step(cpu, &o, s, o.lr, norm0) == 0);
        NEED(tr_step(gpu, &o, s, o.lr, norm) == 0);
    }
    compare_tensors(f->name, cpu, gpu, false, BOUND);
    tr_model_free(cpu);
    tr_model_free(gpu);
}

/* ---- bit-identical --------------------------------------------------------------------- */

enum { LONG = 4096 + 300 };
static float losses[LONG];

/* Gradients and losses of one call, concatenated. */
static float *outcome(const two *b, const form *f, tr_layout l, size_t n, size_t count,
                      const uint32_t *starts, size_t *size)
{
    tr_model *m = model_of(b->gpu, f, &l);
    tr_batch t = { n, ids, targets, count, starts, 0 };
    NEED(tr_model_forward_backward(m, &t, 1.0 / (double)n, losses) == 0);
    float *v = malloc(n * sizeof *v);
    NEED(v);
    memcpy(v, losses, n * sizeof *v);
    *size = n;
    for (size_t i = 0; i < tr_model_params(m); i++) {
        size_t k = 0;
        float *x = tensor(m, i, true, &k);
        NEED(v = realloc(v, (*size + k) * sizeof *v));
        memcpy(v + *size, x, k * sizeof *v);
        *size += k;
        free(x);
    }
    tr_model_free(m);
    return v;
}

/* The same again: recomputed, with attention kept, with inputs in host memory, chunked. */
static void check_bits(const two *b, const form *f)
{
    static const uint32_t starts[] = { 0, 1500, LONG };
    const struct {
        size_t slice;
        bool recompute, keep, away;
    } ways[] = { { 8192, false, false, false }, { 8192, false, false, false },
                 { 8192, true, false, false },  { 8192, true, true, false },
                 { 2048, false, false, false }, { 2048, true, true, false },
                 { 8192, true, false, true },   { 2048, true, true, true } };
    float *want = NULL;
    size_t n = 0, k = 0;
    fill(LONG);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        tr_layout l = layout_of(f, LONG);
        l.slice = ways[i].slice;
        l.recompute = ways[i].recompute;
        l.keep_attention = ways[i].keep;
        l.offload_checkpoints = ways[i].away;
        float *got = outcome(b, f, l, LONG, 2, starts, &k);
        if (!want) {
            want = got;
            n = k;
            continue;
        }
        CHECK(n == k && same_bits(want, got, n));
        free(got);
    }
    free(want);
}

/* A change in one document leaves the losses of the others bit-identical. */
static void check_documents(const two *b, const form *f)
{
    static const uint32_t starts[] = { 0, 300, N };
    tr_layout l = layout_of(f, N);
    size_t n = 0;
    fill(N);
    targets[299] = -1;
    float *before = outcome(b, f, l, N, 2, starts, &n);
    ids[3] = (ids[3] + 1) % V;
    float *after = outcome(b, f, l, N, 2, starts, &n);
    CHECK(same_bits(before + 300, after + 300, N - 300));
    CHECK(!same_bits(before, after, 300));
    free(before), free(after);
}

/* ---- inference ------------------------------------------------------------------------- */

/* In pieces, the last ones of one token, with a KV cache; on GPU and CPU, and in one call. */
static void check_reading(const two *b, const form *f)
{
    static const size_t pieces[] = { 400, 200, 97, 1, 1, 1 };
    tr_layout l = {
        .tokens = 400, .length = N, .slice = 2048, .cache = N, .attention = f->attention
    };
    tr_model *cpu = model_of(b->cpu, f, &l), *gpu = model_of(b->gpu, f, &l);
    static float want[V], got[V];
    fill(N);
    equal_weights(cpu, gpu);
    for (size_t i = 0, at = 0; i < sizeof pieces / sizeof *pieces; at += pieces[i++]) {
        uint32_t starts[2] = { 0, (uint32_t)pieces[i] };
        tr_batch t = { pieces[i], ids + at, targets + at, 1, starts, at };
        NEED(tr_model_forward(cpu, &t, false, want, NULL) == 0);
        NEED(tr_model_forward(gpu, &t, false, got, NULL) == 0);
        double d = distance(got, want, V, 0);
        if (!(d <= GRADIENT_BOUND)) printf("  FAR %s, logits after %zu: %.3g\n", f->name, at, d);
        CHECK(d <= GRADIENT_BOUND);
    }
    tr_model_free(cpu);
    tr_model_free(gpu);
}

void check_models(const two *b, const char *kind)
{
    (void)kind;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        check_training(b, &forms[i]);
        check_reading(b, &forms[i]);
    }
    check_bits(b, &forms[0]);
    check_bits(b, &forms[3]);
    check_bits(b, &forms[4]);
    check_bits(b, &forms[5]);
    check_documents(b, &forms[1]);
}
