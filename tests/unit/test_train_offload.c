/* Offloading to host memory is bit-identical, on a device whose transfers are as late as allowed;
 * and the memory plan of a 7B model at 80K tokens, with its advice on what would fit. */
#include "train/run/internal.h"
#include "train/model/state.h"
#include "train_shards.h"

enum { N = 300, V = 60, STEPS = 3 };

/* ---- a device whose transfers complete at join; data in transfer cannot be read ----------- */

typedef struct transfer {
    void *dst;
    const void *src;
    size_t bytes;
} transfer;
static struct {
    transfer v[64];
    size_t n;
} lanes[BK_LANES];
static size_t transfers;

static void late_join(backend *b, int lane)
{
    (void)b;
    for (size_t i = 0; i < lanes[lane].n; i++)
        memcpy(lanes[lane].v[i].dst, lanes[lane].v[i].src, lanes[lane].v[i].bytes);
    lanes[lane].n = 0;
}

static void queue(void *dst, const void *src, size_t bytes, int lane)
{
    NEED(lanes[lane].n < 64);
    lanes[lane].v[lanes[lane].n++] = (transfer){ dst, src, bytes };
    transfers++;
}

static void late_store(backend *b, void *host, const void *dev, size_t bytes, int lane)
{
    (void)b;
    queue(host, dev, bytes, lane);
}

/* Until the join there is no data. An earlier transfer of the lane reads the old data. */
static void late_fetch(backend *b, void *dev, const void *host, size_t bytes, int lane)
{
    for (size_t i = 0; i < lanes[lane].n; i++)
        if (lanes[lane].v[i].src == dev) late_join(b, lane);
    memset(dev, 0xff, bytes);
    queue(dev, host, bytes, lane);
}

static int late_finish(backend *b)
{
    for (int lane = 0; lane < BK_LANES; lane++) late_join(b, lane);
    return LM_OK;
}

/* The reference keeps no master copy; here it is a copy of the weight. */
static void (*plain_adamw)(backend *b, bk_act *w, bk_acc *master, bk_acc *m, bk_acc *v,
                           const bk_acc *g, size_t n, const bk_adamw *how);

static void master_adamw(backend *b, bk_act *w, bk_acc *master, bk_acc *m, bk_acc *v,
                         const bk_acc *g, size_t n, const bk_adamw *how)
{
    CHECK(!memcmp(w, master, n * sizeof(float)));
    plain_adamw(b, w, NULL, m, v, g, n, how);
    memcpy(master, w, n * sizeof(float));
}

static backend *device(bool late)
{
    backend *b = NULL;
    NEED(bk_cpu_open(&b, 2) == 0);
    b->unified = false;
    b->master = true;
    plain_adamw = b->adamw;
    b->adamw = master_adamw;
    if (!late) return b;
    b->store = late_store;
    b->fetch = late_fetch;
    b->join = late_join;
    b->finish = late_finish;
    return b;
}

/* ---- equal bits ------------------------------------------------------------------------- */

typedef struct outcome {
    float losses[STEPS][N];
    double norms[STEPS];
    float *numbers; /* weights and both moments */
    size_t n;
} outcome;

static void collect(tr_model *m, outcome *r)
{
    for (size_t i = 0; i < tr_model_params(m); i++) {
        const tr_param *p = tr_model_param(m, i);
        size_t n = tr_param_count(p);
        r->numbers = realloc(r->numbers, (r->n + 3 * n) * sizeof *r->numbers);
        NEED(r->numbers);
        CHECK_OK(tr_weights_get(m, p, 0, r->numbers + r->n, n));
        CHECK_OK(tr_state_get(m, TR_STATE_M, p, 0, r->numbers + r->n + n, n));
        CHECK_OK(tr_state_get(m, TR_STATE_V, p, 0, r->numbers + r->n + 2 * n, n));
        r->n += 3 * n;
    }
}

static outcome train(size_t layers, tr_layout l, bool late)
{
    tr_config c = { .dim = 24,
                    .mlp = 40,
                    .layers = layers,
                    .heads = 4,
                    .kv_heads = 2,
                    .head_dim = 6,
                    .vocab = V,
                    .positions = N,
                    .norm_eps = 1e-5,
                    .init_std = 0.1,
                    .qkv_bias = true,
                    .head_norm = true,
                    .rope = { .theta = 10000, .attention_factor = 1 } };
    tr_optimizer o = { .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1, .clip = 1 };
    static const uint32_t starts[] = { 0, 120, N };
    int32_t ids[N], targets[N];
    for (size_t i = 0; i < N; i++) {
        ids[i] = (int32_t)(lm_hash4(4, i, 0, 0) % V);
        targets[i] = (int32_t)(lm_hash4(4, i + 1, 0, 0) % V);
    }
    tr_batch t = { N, ids, targets, 2, starts, 0 };
    outcome r = { .n = 0 };
    backend *b = device(late);
    tr_model *m = NULL;
    l.tokens = l.length = N;
    l.slice = 256;
    l.train = l.recompute = true;
    NEED(tr_model_new(&m, &c, &l, b) == 0);
    CHECK_OK(tr_model_init(m, 2));
    for (uint64_t s = 0; s < STEPS; s++) {
        CHECK_OK(tr_model_forward_backward(m, &t, 1.0 / N, r.losses[s]));
        CHECK_OK(tr_reduce(m, &r.norms[s]));
        CHECK_OK(tr_step(m, &o, s + 1, 1e-2, r.norms[s]));
    }
    collect(m, &r);
    tr_model_free(m);
    b->close(b);
    return r;
}

static bool equal(const outcome *a, const outcome *b)
{
    return a->n == b->n && !memcmp(a->losses, b->losses, sizeof a->losses) &&
           !memcmp(a->norms, b->norms, sizeof a->norms) &&
           !memcmp(a->numbers, b->numbers, a->n * sizeof *a->numbers);
}

static void test_bits(void)
{
    static const tr_layout ways[] = {
        { .offload_checkpoints = true },
        { .offload_optimizer = true, .stage = 1000 },
        { .offload_optimizer = true },
        { .offload_optimizer = true,
          .stage = 700,
          .offload_checkpoints = true,
          .keep_attention = true },
    };
    for (size_t layers = 1; layers <= 5; layers++) {
        outcome want = train(layers, (tr_layout){ .stage = 0 }, false);
        CHECK(want.norms[STEPS - 1] != want.norms[0]);
        for (size_t i = 0; i < 2 * sizeof ways / sizeof *ways; i++) {
            const tr_layout *l = &ways[i / 2];
            transfers = 0;
            outcome got = train(layers, *l, i % 2);
            CHECK(equal(&got, &want));
            CHECK(!(i % 2) || transfers > 0 || (!l->offload_optimizer && layers < 3));
            free(got.numbers);
        }
        free(want.numbers);
    }
}

/* ---- the plan of a 7B model at 80K tokens ------------------------------------------------- */

static size_t device_bytes;
static size_t available(backend *b)
{
    (void)b;
    return device_bytes;
}

static int open_7b(tr_run **r, backend *b, size_t gib, tr_options o)
{
    device_bytes = gib << 30;
    b->available = available;
    b->act_bytes = 2;
    b->master = true;
    b->unified = false;
    o.init = "llama2-7b";
    o.data = "rows";
    o.out = "out";
    o.batch = 4000000;
    o.tokens = 1;
    o.slice = 2048;
    o.keep = 1;
    return tr_run_open(r, &o, b, NULL);
}

/* The MiB in a line of the plan. */
static double line_of(const lm_buf *text, const char *name)
{
    const char *at = (const char *)text->data;
    while (at && strncmp(at, name, strlen(name))) at = (at = strchr(at, '\n')) ? at + 1 : NULL;
    NEED(at);
    return strtod(at + strlen(name), NULL);
}

static bool near(double mib, double gib, double by)
{
    if (!(mib / 1024 > gib - by && mib / 1024 < gib + by))
        fprintf(stderr, "%.2f GiB, not %.2f\n", mib / 1024, gib);
    return mib / 1024 > gib - by && mib / 1024 < gib + by;
}

/* Weights in 2 bytes, gradients and state in 4: 12.55, 25.1 and 75.3 GiB of 6.738e9 numbers; the
 * inputs of 32 layers and the last output 20.6 GiB. */
static void test_plan(void)
{
    backend *b = NULL;
    tr_run *r = NULL;
    lm_buf text = LM_BUF_INIT(1 << 16);
    NEED(bk_cpu_open(&b, 1) == 0);
    CHECK_OK(open_7b(&r, b, 140, (tr_options){ .recompute = true, .offload_optimizer = true }));
    CHECK_OK(tr_run_plan(r, &text));
    CHECK_OK(lm_buf_add(&text, "", 1));
    CHECK(near(line_of(&text, "weights"), 12.55, 0.01));
    CHECK(near(line_of(&text, "gradients"), 25.1, 0.01));
    CHECK(near(line_of(&text, "activations saved for backward"), 20.625, 0.001));
    CHECK(near(line_of(&text, "host: optimizer state"), 75.3, 0.01));
    CHECK(near(line_of(&text, "all"), 67.8, 1));
    tr_run_close(r);
    lm_buf_free(&text);

    CHECK_OK(open_7b(&r, b, 140,
                     (tr_options){ .recompute = true,
                                   .keep_attention = true,
                                   .offload_optimizer = true,
                                   .offload_checkpoints = true }));
    CHECK_OK(tr_run_plan(r, &text));
    CHECK_OK(lm_buf_add(&text, "", 1));
    CHECK(near(line_of(&text, "host: activations saved for backward"), 18.75, 0.001));
    CHECK(near(line_of(&text, "activations saved for backward"), 1.875, 0.001));
    CHECK(near(line_of(&text, "saved attention outputs"), 20.3, 0.2));
    tr_run_close(r);
    lm_buf_free(&text);
    b->close(b);
}

static void check_advice(backend *b, size_t gib, size_t host_gib, tr_options o, const char *says)
{
    tr_run *r = NULL;
    CHECK_OK(open_7b(&r, b, gib, o));
    r->host = host_gib << 30;
    CHECK(tr_check_memory(r) == LM_ENOMEM);
    if (!strstr(lm_err(), says)) fprintf(stderr, "%zu and %zu GiB: %s\n", gib, host_gib, lm_err());
    CHECK(strstr(lm_err(), says));
    tr_run_close(r);
}

/* Advice on options that make it fit. */
static void test_advice(void)
{
    backend *b = NULL;
    tr_run *r = NULL;
    NEED(bk_cpu_open(&b, 1) == 0);
    const tr_options plain = { .recompute = false }, lean = { .recompute = true };
    check_advice(b, 160, 40, plain, "with --recompute it would be 1");
    check_advice(b, 140, 200, lean, "with --recompute --keep-attention --offload optimizer it");
    check_advice(b, 80, 200, lean, "with --recompute --offload optimizer it would be 69");
    check_advice(b, 80, 200, lean, "and 77115 MiB of host memory");
    check_advice(b, 60, 200, lean, "with --recompute --offload optimizer,checkpoints it");
    check_advice(b, 60, 90, lean, "no option makes it fit"); /* 94 GiB of the host are needed */
    check_advice(b, 30, 200, lean, "no option makes it fit");
    CHECK_OK(open_7b(&r, b, 140, (tr_options){ .recompute = true, .offload_optimizer = true }));
    r->host = (size_t)80 << 30;
    CHECK_OK(tr_check_memory(r));
    r->host = (size_t)70 << 30; /* 75.3 are needed */
    CHECK(tr_check_memory(r) == LM_ENOMEM && strstr(lm_err(), "77115 MiB of host memory"));
    tr_run_close(r);
    b->close(b);
}

int main(void)
{
    write_language("rows", 0, 1, 81920, false, 1, true);
    test_bits();
    test_plan();
    test_advice();
    CHECK_END();
}
