/* Gradients of a whole model, every tensor, compared with finite differences in float64. */
#include <math.h>

#include "check.h"
#include "lib/base/rng.h"
#include "train/model/model.h"

static tr_model *m;
static tr_batch batch;
static float *losses;

/* Losses are float32, too coarse for tiny steps, so the steps are large, along the gradient, and
 * extrapolated. */
static double loss_of(void)
{
    NEED(tr_model_forward_backward(m, &batch, 0, losses) == 0);
    double sum = 0;
    for (size_t i = 0; i < batch.n; i++) sum += (double)losses[i];
    return sum;
}

static void check_shape(size_t heads, size_t kv_heads, bool tied, bool recompute, bool keep,
                        attn_form form)
{
    enum { N = 70, V = 11 };
    backend *b = NULL;
    NEED(bk_cpu_open(&b, 1) == 0);
    tr_config c = { .dim = 12,
                    .mlp = 20,
                    .layers = 3,
                    .heads = heads,
                    .kv_heads = kv_heads,
                    .head_dim = 4,
                    .vocab = V,
                    .positions = 64,
                    .norm_eps = 1e-5,
                    .init_std = 0.3,
                    .tied = tied,
                    .rope = { .theta = 100, .attention_factor = 1 } };
    tr_layout l = { .tokens = N,
                    .length = N,
                    .slice = BK_BLOCK,
                    .train = true,
                    .recompute = recompute,
                    .keep_attention = keep,
                    .attention = form };
    NEED(tr_model_new(&m, &c, &l, b) == 0);
    NEED(tr_model_init(m, 5) == 0);
    int32_t ids[N], targets[N];
    static const uint32_t starts[] = { 0, 23, N };
    float back[N];
    losses = back;
    for (size_t i = 0; i < N; i++) {
        ids[i] = (int32_t)(lm_hash4(1, i, 0, 0) % V);
        targets[i] = i % 9 == 4 ? -1 : (int32_t)(lm_hash4(2, i, 0, 0) % V);
    }
    batch = (tr_batch){ N, ids, targets, 2, starts, 0 };
    NEED(tr_model_forward_backward(m, &batch, 1, losses) == 0);
    for (size_t p = 0; p < tr_model_params(m); p++) {
        tr_param *w = tr_model_param(m, p);
        double *x = (double *)w->w;
        const double *g = (const double *)w->grad;
        size_t n = tr_param_count(w);
        double norm = 0, h = 1e-2;
        for (size_t i = 0; i < n; i++) norm += g[i] * g[i];
        norm = sqrt(norm);
        CHECK(norm > 0);
        for (size_t i = 0; i < n; i++) x[i] += h * g[i] / norm;
        double up1 = loss_of();
        for (size_t i = 0; i < n; i++) x[i] -= 2 * h * g[i] / norm;
        double down1 = loss_of();
        for (size_t i = 0; i < n; i++) x[i] += 1.5 * h * g[i] / norm;
        double up2 = loss_of();
        for (size_t i = 0; i < n; i++) x[i] -= h * g[i] / norm;
        double down2 = loss_of();
        for (size_t i = 0; i < n; i++) x[i] += 0.5 * h * g[i] / norm;
        double wide = (up1 - down1) / (2 * h), near = (up2 - down2) / h;
        double slope = (4 * near - wide) / 3; /* Richardson */
        if (!(fabs(slope - norm) <= 2e-4 * norm))
            fprintf(stderr, "%s: slope %.9g, gradient %.9g\n", w->name, slope, norm);
        CHECK(fabs(slope - norm) <= 2e-4 * norm);
    }
    tr_model_free(m);
    b->close(b);
}

int main(void)
{
    const attn_form rope = { 0 }, dca = { 10, 14, true, true };
    check_shape(3, 1, false, false, false, rope);
    check_shape(4, 2, true, true, false, rope);
    check_shape(2, 2, false, true, true, rope);
    check_shape(4, 2, false, false, false, dca);
    check_shape(2, 1, true, true, true, dca);
    CHECK_END();
}
