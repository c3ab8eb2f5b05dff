/* Gradients of a whole model, every tensor, compared with finite differences in float64. */
#include <math.h>

#include "check.h"
#include "lib/base/rng.h"
#include "train/model/model.h"

static tr_model *m;
static tr_batch batch;
static float *losses;

/* A model gives losses as float32, too coarse for small steps: their sum is taken where they leave
 * the backend. */
static double sum;

static void get_acc(backend *b, float *dst, const bk_acc *src, size_t n)
{
    (void)b;
    sum = 0;
    for (size_t i = 0; i < n; i++) {
        dst[i] = (float)((const double *)src)[i];
        sum += ((const double *)src)[i];
    }
}

static double loss_of(void)
{
    NEED(tr_model_forward_backward(m, &batch, 0, losses) == 0);
    return sum;
}

/* Step along the gradient: the slope of the loss is its norm. */
static void check_param(const tr_param *w)
{
    const double h = 1e-5;
    double *x = (double *)w->w, norm = 0, keep[512];
    const double *g = (const double *)w->grad;
    size_t n = tr_param_count(w);
    NEED(n <= 512);
    memcpy(keep, x, n * sizeof *x);
    for (size_t i = 0; i < n; i++) norm += g[i] * g[i];
    norm = sqrt(norm);
    CHECK(norm > 0);
    for (size_t i = 0; i < n; i++) x[i] = keep[i] + h * g[i] / norm;
    double up = loss_of();
    for (size_t i = 0; i < n; i++) x[i] = keep[i] - h * g[i] / norm;
    double slope = (up - loss_of()) / (2 * h);
    memcpy(x, keep, n * sizeof *x);
    if (!(fabs(slope - norm) <= 1e-7 * fmax(norm, 1)))
        fprintf(stderr, "%s: slope %.9g, gradient %.9g\n", w->name, slope, norm);
    CHECK(fabs(slope - norm) <= 1e-7 * fmax(norm, 1));
}

/* Biases and norms of heads of a shape: bits of `with`. */
enum { QKV = 1, OUT = 2, MLP = 4, HEADS = 8 };

/* Biases begin as 0, norms as 1: other numbers test more. */
static void move_vectors(void)
{
    for (size_t p = 0; p < tr_model_params(m); p++) {
        tr_param *w = tr_model_param(m, p);
        for (size_t i = 0; w->vector && i < w->cols; i++)
            ((double *)w->w)[i] += lm_unit(lm_hash4(3, p, i, 0)) - 0.5;
    }
}

static void check_shape(size_t heads, size_t kv_heads, bool tied, bool recompute, bool keep,
                        attn_form form, int with)
{
    enum { N = 70, V = 11 };
    backend *b = NULL;
    NEED(bk_cpu_open(&b, 1) == 0);
    b->get_acc = get_acc;
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
                    .qkv_bias = with & QKV,
                    .out_bias = with & OUT,
                    .mlp_bias = with & MLP,
                    .head_norm = with & HEADS,
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
    if (with) move_vectors();
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
    for (size_t p = 0; p < tr_model_params(m); p++) check_param(tr_model_param(m, p));
    tr_model_free(m);
    b->close(b);
}

int main(void)
{
    const attn_form rope = { 0 }, dca = { 10, 14, true, true };
    check_shape(3, 1, false, false, false, rope, 0);
    check_shape(4, 2, true, true, false, rope, 0);
    check_shape(2, 2, false, true, true, rope, 0);
    check_shape(4, 2, false, false, false, dca, 0);
    check_shape(2, 1, true, true, true, dca, 0);
    for (int with = 1; with < 16; with++) {
        bool recompute = with & 1, keep = with & 2;
        check_shape(4, 2, with & 4, recompute, recompute && keep, with % 3 ? rope : dca, with);
    }
    check_shape(4, 2, false, false, false, dca, QKV | HEADS);
    check_shape(4, 1, true, true, false, rope, QKV | OUT | MLP | HEADS);
    CHECK_END();
}
