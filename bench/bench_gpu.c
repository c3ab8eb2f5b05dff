/* bench_gpu.c -- the CUDA backend on a model of the 7B shape with random weights: training steps,
 * and prompt processing. bench/gpu.sh runs it. Prints one JSON object per line. Exits 77 if there
 * is no GPU.
 *
 * usage: bench_gpu train LENGTH [keep] [LAYERS]    a step at LENGTH tokens; keep: --keep-attention
 *        bench_gpu read LENGTH rope|dca [LAYERS]   a prompt of LENGTH tokens, with its KV cache
 *
 * A step is the forward and backward pass of one row, without the optimizer, which is timed
 * separately: a batch of 4M tokens has 50 rows of 80K per optimizer step. Parts are measured in
 * another step, in which each operation waits for the previous one; their sum exceeds a step. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/progress.h"
#include "lib/base/rng.h"
#include "train/model/optimizer.h"

enum { ROWS = 2, PIECE = 8192, SLICE = 8192 };

/* ---- time by part ---------------------------------------------------------------------- */

enum part { PRODUCTS, ATTENTION, REST, PARTS };

static backend real; /* the original table */
static double spent[PARTS];

#define TIMED(part, call)                                                     \
    do {                                                                      \
        int before_ = real.finish(b);                                         \
        double from_ = lm_seconds();                                          \
        call;                                                                 \
        if (!before_ && !real.finish(b)) spent[part] += lm_seconds() - from_; \
    } while (0)

static void linear(backend *b, bk_act *y, const bk_act *x, const bk_act *w, size_t n, size_t in,
                   size_t out, bool add)
{
    TIMED(PRODUCTS, real.linear(b, y, x, w, n, in, out, add));
}

static void linear_dx(backend *b, bk_act *dx, const bk_act *dy, const bk_act *w, size_t n,
                      size_t in, size_t out, bool add)
{
    TIMED(PRODUCTS, real.linear_dx(b, dx, dy, w, n, in, out, add));
}

static void linear_dw(backend *b, bk_acc *dw, const bk_act *dy, const bk_act *x, size_t n,
                      size_t in, size_t out)
{
    TIMED(PRODUCTS, real.linear_dw(b, dw, dy, x, n, in, out));
}

static void attention(backend *b, bk_act *o, bk_acc *lse, const bk_act *q, const bk_act *k,
                      const bk_act *v, const bk_spans *s, size_t heads, size_t kv_heads, size_t d,
                      double scale, bool merge)
{
    TIMED(ATTENTION, real.attention(b, o, lse, q, k, v, s, heads, kv_heads, d, scale, merge));
}

static void attention_back(backend *b, bk_act *dq, bk_act *dk, bk_act *dv, bk_acc *delta,
                           const bk_act *dout, const bk_act *o, const bk_acc *lse, const bk_act *q,
                           const bk_act *k, const bk_act *v, const bk_spans *s, size_t heads,
                           size_t kv_heads, size_t d, double scale, bool add)
{
    TIMED(ATTENTION, real.attention_back(b, dq, dk, dv, delta, dout, o, lse, q, k, v, s, heads,
                                         kv_heads, d, scale, add));
}

static void watch(backend *b, bool on)
{
    memset(spent, 0, sizeof spent);
    if (on) real = *b;
    b->linear = on ? linear : real.linear;
    b->linear_dx = on ? linear_dx : real.linear_dx;
    b->linear_dw = on ? linear_dw : real.linear_dw;
    b->attention = on ? attention : real.attention;
    b->attention_back = on ? attention_back : real.attention_back;
}

/* ---- the model ------------------------------------------------------------------------- */

static tr_config config;
static int32_t *ids, *targets;
static size_t free_before;

static int failed(void)
{
    fprintf(stderr, "bench_gpu: %s\n", lm_err());
    return 1;
}

static int batch(size_t n)
{
    ids = malloc(n * sizeof *ids);
    targets = malloc(n * sizeof *targets);
    if (!ids || !targets) return lm_fail_nomem(n * sizeof *ids);
    for (size_t i = 0; i < n; i++) ids[i] = (int32_t)(lm_hash4(1, i, 0, 0) % config.vocab);
    for (size_t i = 0; i < n; i++) targets[i] = i + 1 < n ? ids[i + 1] : -1;
    return LM_OK;
}

/* Device memory allocated since the start, from the free memory that another backend reports; its
 * own context (some tens of MiB) is included. */
static double gib_taken(void)
{
    backend *other = NULL;
    if (bk_open(&other, "cuda", 1)) return 0;
    size_t left = other->available(other);
    other->close(other);
    return left < free_before ? (double)(free_before - left) / (1 << 30) : 0;
}

static double median(double *t, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k && t[k] < t[k - 1]; k--) {
            double x = t[k];
            t[k] = t[k - 1];
            t[k - 1] = x;
        }
    return n % 2 ? t[n / 2] : (t[n / 2 - 1] + t[n / 2]) / 2;
}

/* ---- training -------------------------------------------------------------------------- */

static int train(backend *b, size_t length, bool keep)
{
    uint32_t starts[2] = { 0, (uint32_t)length };
    tr_layout l = { .tokens = length,
                    .length = length,
                    .slice = SLICE,
                    .train = true,
                    .recompute = true,
                    .keep_attention = keep,
                    .offload_optimizer = true };
    tr_optimizer o = {
        .lr = 2e-5, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1, .clip = 1
    };
    tr_batch t = { length, ids, targets, 1, starts, 0 };
    tr_model *m = NULL;
    double row[ROWS], norm = 0, step = 0;
    int rc = tr_model_new(&m, &config, &l, b);
    if (!rc) rc = tr_model_init(m, 1);
    if (!rc)
        rc = tr_model_forward_backward(m, &t, 1.0 / (double)length,
                                       NULL); /* warm up: creates plans and kernels */
    for (size_t i = 0; !rc && i < ROWS; i++) {
        double from = lm_seconds();
        rc = tr_model_forward_backward(m, &t, 1.0 / (double)length, NULL);
        row[i] = lm_seconds() - from;
    }
    double taken = rc ? 0 : gib_taken();
    if (!rc) {
        watch(b, true);
        double from = lm_seconds();
        rc = tr_model_forward_backward(m, &t, 1.0 / (double)length, NULL);
        spent[REST] = lm_seconds() - from - spent[PRODUCTS] - spent[ATTENTION];
    }
    double parts[PARTS];
    memcpy(parts, spent, sizeof parts);
    if (!rc) {
        watch(b, false);
        double from = lm_seconds();
        rc = tr_reduce(m, &norm);
        if (!rc) rc = tr_step(m, &o, 1, o.lr, norm);
        step = lm_seconds() - from;
    }
    tr_model_free(m);
    if (rc) return rc;
    double seconds = median(row, ROWS), rate = (double)length / seconds;
    printf("{\"bench\":\"train\",\"length\":%zu,\"layers\":%zu,\"keep_attention\":%s,"
           "\"tokens_per_second\":%.1f,\"mfu\":%.4f,\"memory_gib\":%.2f,\"seconds\":%.4f,"
           "\"products\":%.4f,\"attention\":%.4f,\"rest\":%.4f,\"optimizer\":%.4f}\n",
           length, config.layers, keep ? "true" : "false", rate,
           rate * tr_config_flops(&config, (double)length) / b->peak(b), taken, seconds,
           parts[PRODUCTS], parts[ATTENTION], parts[REST], step);
    return LM_OK;
}

/* ---- prompt processing ----------------------------------------------------------------- */

static int prompt(tr_model *m, size_t length, double *seconds)
{
    double from = lm_seconds();
    int rc = LM_OK;
    for (size_t at = 0, n; !rc && at < length; at += n) {
        n = length - at < PIECE ? length - at : PIECE;
        uint32_t starts[2] = { 0, (uint32_t)n };
        tr_batch t = { n, ids + at, targets + at, 1, starts, at };
        rc = tr_model_forward(m, &t, false, NULL, NULL);
    }
    *seconds = lm_seconds() - from;
    return rc;
}

static int read_prompt(backend *b, size_t length, const char *form)
{
    tr_layout l = { .tokens = PIECE, .length = length, .slice = SLICE, .cache = length };
    tr_model *m = NULL;
    double cold = 0, warm = 0;
    int rc = attn_form_parse(&l.attention, form, config.positions);
    if (!rc) rc = tr_model_new(&m, &config, &l, b);
    if (!rc) rc = tr_model_init(m, 1);
    if (!rc) rc = prompt(m, length, &cold);
    if (!rc) rc = prompt(m, length, &warm);
    double taken = rc ? 0 : gib_taken();
    tr_model_free(m);
    if (rc) return rc;
    printf("{\"bench\":\"speed\",\"attention\":\"%s\",\"length\":%zu,\"layers\":%zu,"
           "\"seconds\":%.4f,\"first_seconds\":%.4f,\"memory_mib\":%.1f}\n",
           strcmp(form, "rope") ? form : "flash", length, config.layers, warm, cold, taken * 1024);
    return LM_OK;
}

/* ---- arguments ------------------------------------------------------------------------- */

static size_t number(const char *text)
{
    char *end = NULL;
    unsigned long long v = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && v <= INT32_MAX ? (size_t)v : 0;
}

int main(int argc, char **argv)
{
    size_t length = argc > 2 ? number(argv[2]) : 0;
    bool training = argc > 1 && !strcmp(argv[1], "train"), keep = false;
    const char *form = argc > 3 ? argv[3] : "rope";
    if (!length || (!training && strcmp(argv[1], "read"))) {
        fprintf(stderr, "usage: bench_gpu train LENGTH [keep] [LAYERS]\n"
                        "       bench_gpu read LENGTH rope|dca [LAYERS]\n");
        return 2;
    }
    int at = 3;
    if (training && argc > at && !strcmp(argv[at], "keep")) keep = at++;
    else if (!training) at++;
    if (tr_config_preset(&config, "llama2-7b")) return failed();
    if (argc > at && !(config.layers = number(argv[at]))) return 2;
    config.rope.theta = 2.076e6; /* the paper's 80K, as in docs/training.md */
    backend *b = NULL;
    int rc = bk_open(&b, "cuda", 1);
    if (rc == LM_EUSAGE) {
        fprintf(stderr, "skipped: %s\n", lm_err());
        return 77;
    }
    if (rc || batch(length)) return failed();
    free_before = b->available(b);
    rc = training ? train(b, length, keep) : read_prompt(b, length, form);
    if (rc) failed();
    b->close(b);
    free(ids);
    free(targets);
    return rc ? 1 : 0;
}
