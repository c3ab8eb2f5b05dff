/* The model compared with PyTorch and transformers: tests/parity/golden.safetensors, which
 * tests/parity/make.py writes. Every relative difference of norms is below 1e-5. */
#include <math.h>

#include "check.h"
#include "lib/base/rng.h"
#include "train/model/optimizer.h"

enum { TOKENS = 24, VOCAB = 32, CUT = 9 };

static st_reader *golden;
static double worst;

/* The golden tensor `label/name`; n numbers. */
static float *want(const char *label, const char *name, size_t n)
{
    char full[160];
    snprintf(full, sizeof full, "%s/%s", label, name);
    const st_tensor *t = st_find(golden, full);
    if (!t) lm_fail(LM_EDATA, "no golden %s", full);
    NEED(t && t->count == n);
    float *x = malloc(n * sizeof *x);
    NEED(x && st_read(golden, t, 0, x, n) == 0);
    return x;
}

static void compare(const char *label, const char *name, const float *got, size_t n)
{
    float *x = want(label, name, n);
    double d = 0, s = 0;
    for (size_t i = 0; i < n; i++) {
        d += ((double)got[i] - (double)x[i]) * ((double)got[i] - (double)x[i]);
        s += (double)x[i] * (double)x[i];
    }
    double error = sqrt(d / s);
    if (error > worst) worst = error;
    if (!(error < 1e-5)) fprintf(stderr, "%s/%s: error %g\n", label, name, error);
    CHECK(error < 1e-5);
    free(x);
}

/* make.py's weights: from the generator of rng.h. */
static void set_weights(tr_model *m, backend *b)
{
    for (size_t i = 0; i < tr_model_params(m); i++) {
        tr_param *p = tr_model_param(m, i);
        size_t n = tr_param_count(p);
        float *x = malloc(n * sizeof *x);
        NEED(x);
        for (size_t k = 0; k < n; k++) {
            float u = (float)lm_unit(lm_hash4(11, i, k, 0));
            x[k] = p->vector ? 1 + (u - 0.5f) / 2 : u - 0.5f;
        }
        b->put_act(b, p->w, x, n);
        free(x);
    }
}

static void check_case(const char *scaling, tr_rope rope, size_t positions, bool tied, bool mask)
{
    char label[64];
    snprintf(label, sizeof label, "%s-%s-%s", scaling, tied ? "tied" : "untied",
             mask ? "mask" : "causal");
    backend *b = NULL;
    tr_model *m = NULL;
    NEED(bk_cpu_open(&b, 2) == 0);
    rope.theta = 10000;
    tr_config c = { .dim = 16,
                    .mlp = 24,
                    .layers = 2,
                    .heads = 4,
                    .kv_heads = 2,
                    .head_dim = 8,
                    .vocab = VOCAB,
                    .positions = positions,
                    .norm_eps = 1e-5,
                    .tied = tied,
                    .rope = rope };
    tr_layout l = {
        .tokens = TOKENS, .length = TOKENS, .slice = BK_BLOCK, .train = true, .recompute = tied
    };
    NEED(tr_model_new(&m, &c, &l, b) == 0);
    set_weights(m, b);

    /* Positions restart in the second document; transformers was given consecutive ones. The
     * rotation is relative, so both must agree. */
    int32_t ids[TOKENS], targets[TOKENS];
    static const uint32_t starts[] = { 0, CUT, TOKENS }, whole[] = { 0, TOKENS };
    for (size_t i = 0; i < TOKENS; i++) ids[i] = (int32_t)(lm_hash4(12, 0, i, 0) % VOCAB);
    size_t count = 0;
    for (size_t i = 0; i < TOKENS; i++) {
        targets[i] = i + 1 == TOKENS || (mask && i + 1 == CUT) ? -1 : ids[i + 1];
        count += targets[i] >= 0;
    }
    tr_batch t = { TOKENS, ids, targets, mask ? 2 : 1, mask ? starts : whole, 0 };

    float logits[TOKENS * VOCAB], loss[TOKENS], losses[10], norms[10];
    CHECK_OK(tr_model_forward(m, &t, true, logits, NULL));
    compare(label, "logits", logits, TOKENS * VOCAB);
    tr_optimizer o = { .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-5, .decay = 0.1, .clip = 1 };
    for (uint64_t step = 1; step <= 10; step++) {
        CHECK_OK(tr_model_forward_backward(m, &t, 1.0 / (double)count, loss));
        for (size_t p = 0; step == 1 && p < tr_model_params(m); p++) {
            tr_param *w = tr_model_param(m, p);
            compare(label, w->name, (const float *)w->grad, tr_param_count(w));
        }
        double sum = 0, norm = 0;
        CHECK_OK(tr_reduce(m, &norm));
        for (size_t i = 0; i < TOKENS; i++) sum += (double)loss[i];
        losses[step - 1] = (float)(sum / (double)count);
        norms[step - 1] = (float)norm;
        CHECK_OK(tr_step(m, &o, step, 1e-3, norm));
    }
    compare(label, "losses", losses, 10);
    compare(label, "norms", norms, 10);
    compare(label, "after", (const float *)tr_model_param(m, 0)->w, VOCAB * 16);
    tr_model_free(m);
    b->close(b);
}

/* Rows of the tables of each scaling: at position 1, the last trained one, and the last of all. */
static void check_tables(const char *scaling, size_t d, size_t trained)
{
    tr_config c = { .head_dim = d, .positions = trained, .rope = { .theta = 10000 } };
    NEED(tr_rope_override(&c, scaling) == 0);
    for (size_t length = trained / 2; length <= 8 * trained; length *= 4) {
        char label[64];
        snprintf(label, sizeof label, "%s/%zu/%zu", scaling, d, length);
        float *x = want("rope", label, 3 * d), *table = malloc(8 * trained * d * sizeof *table);
        NEED(table);
        tr_rope_table(&c, length, table, 8 * trained);
        size_t rows[] = { 1, trained - 1, length - 1 };
        double off = 0;
        for (size_t i = 0; i < 3 * d; i++)
            off = fmax(off, fabs((double)table[rows[i / d] * d + i % d] - (double)x[i]));
        if (!(off < 1e-6)) fprintf(stderr, "%s: off by %g\n", label, off);
        CHECK(off < 1e-6);
        free(table);
        free(x);
    }
}

int main(void)
{
    const char *source = getenv("LM_SRC");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/parity/golden.safetensors", source ? source : ".");
    NEED(st_open(&golden, path) == 0);
    static const struct {
        const char *name;
        tr_rope rope;
        size_t positions;
    } scalings[] = {
        { "plain", { .type = TR_ROPE_PLAIN, .attention_factor = 1 }, 64 },
        { "linear", { .type = TR_ROPE_LINEAR, .factor = 3 }, 64 },
        { "dynamic", { .type = TR_ROPE_DYNAMIC, .factor = 2 }, 16 },
        { "yarn",
          { .type = TR_ROPE_YARN,
            .factor = 4,
            .attention_factor = 1.1386294361119891,
            .beta_fast = 32,
            .beta_slow = 1,
            .original = 64 },
          64 },
        { "llama3",
          { .type = TR_ROPE_LLAMA3, .factor = 8, .low_freq = 1, .high_freq = 4, .original = 64 },
          512 },
    };
    for (size_t i = 0; i < sizeof scalings / sizeof *scalings; i++)
        for (int k = 0; k < 4; k++)
            check_case(scalings[i].name, scalings[i].rope, scalings[i].positions, k & 1, k & 2);
    static const char *const overrides[] = { "linear:4", "ntk:4", "dynamic:2", "dynamic:8",
                                             "yarn:8" };
    for (size_t i = 0; i < sizeof overrides / sizeof *overrides; i++) {
        check_tables(overrides[i], 8, 64);
        check_tables(overrides[i], 128, 4096);
    }
    printf("largest error %.2g\n", worst);
    st_close(golden);
    CHECK_END();
}
