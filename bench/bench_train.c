/* bench_train.c -- the CPU backend: its matrix products compared with OpenBLAS on the same
 * shapes, and training steps of a model of about a million weights at 2K tokens. bench/train.sh
 * runs it.
 *
 * usage: bench_train products|steps THREADS */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/progress.h"
#include "lib/base/rng.h"
#include "train/model/optimizer.h"

static int products(backend *b, int threads)
{
    static const size_t shapes[][3] = { { 2048, 512, 512 },
                                        { 2048, 512, 1408 },
                                        { 2048, 1408, 512 },
                                        { 4096, 1024, 1024 },
                                        { 1024, 256, 16000 } };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t n = shapes[i][0], in = shapes[i][1], out = shapes[i][2];
        float *x = calloc(n * in, 4), *w = calloc(out * in, 4), *y = calloc(n * out, 4);
        if (!x || !w || !y) return 1;
        for (size_t k = 0; k < n * in; k++) x[k] = (float)lm_unit(lm_hash4(1, k, 0, 0)) - 0.5f;
        for (size_t k = 0; k < out * in; k++) w[k] = (float)lm_unit(lm_hash4(2, k, 0, 0)) - 0.5f;
        double best[4] = { 1e9, 1e9, 1e9, 1e9 };
        for (int r = 0; r < 7; r++) {
            for (int kind = 0; kind < 4; kind++) {
                if (kind == 0) openblas_set_num_threads(threads);
                double start = lm_seconds();
                if (kind == 0)
                    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)out, (int)in,
                                1, x, (int)in, w, (int)in, 0, y, (int)out);
                if (kind == 1)
                    b->linear(b, (bk_act *)y, (bk_act *)x, (bk_act *)w, n, in, out, false);
                if (kind == 2)
                    b->linear_dx(b, (bk_act *)x, (bk_act *)y, (bk_act *)w, n, in, out, false);
                if (kind == 3) b->linear_dw(b, (bk_acc *)w, (bk_act *)y, (bk_act *)x, n, in, out);
                double t = lm_seconds() - start;
                if (t < best[kind]) best[kind] = t;
                if (kind == 0) openblas_set_num_threads(1);
            }
            for (size_t k = 0; k < n * in; k++) x[k] = (float)lm_unit(lm_hash4(1, k, 0, 0)) - 0.5f;
            for (size_t k = 0; k < out * in; k++)
                w[k] = (float)lm_unit(lm_hash4(2, k, 0, 0)) - 0.5f;
        }
        double flops = 2e-9 * (double)n * (double)in * (double)out;
        printf(
            "  [%zu, %zu] x [%zu, %zu]: sgemm %.0f GFLOP/s; forward %.2f, dx %.2f, dw %.2f of it\n",
            n, in, in, out, flops / best[0], best[0] / best[1], best[0] / best[2],
            best[0] / best[3]);
        free(x);
        free(w);
        free(y);
    }
    return 0;
}

enum { LENGTH = 2048, ROWS = 2, N = LENGTH * ROWS, STEPS = 6 };

static int steps(backend *b)
{
    static int32_t ids[N], targets[N];
    tr_config c = { .dim = 128,
                    .mlp = 384,
                    .layers = 5,
                    .heads = 4,
                    .kv_heads = 4,
                    .head_dim = 32,
                    .vocab = 1024,
                    .positions = LENGTH,
                    .norm_eps = 1e-5,
                    .init_std = 0.02,
                    .tied = true,
                    .rope = { .theta = 10000, .attention_factor = 1 } };
    tr_layout l = { .tokens = N, .length = LENGTH, .slice = 2048, .train = true };
    tr_optimizer o = {
        .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1, .clip = 1
    };
    tr_model *m = NULL;
    if (tr_model_new(&m, &c, &l, b) || tr_model_init(m, 1)) return 1;
    for (size_t i = 0; i < N; i++) {
        ids[i] = (int32_t)(lm_hash4(3, i, 0, 0) % c.vocab);
    }
    for (size_t i = 0; i < N; i++) targets[i] = i % LENGTH == LENGTH - 1 ? -1 : ids[i + 1];
    static const uint32_t starts[] = { 0, LENGTH, N };
    tr_batch t = { N, ids, targets, ROWS, starts, 0 };
    static float loss[N];
    double best = 1e9, last = 0;
    for (uint64_t s = 1; s <= STEPS; s++) {
        double start = lm_seconds(), sum = 0, norm = 0;
        if (tr_model_forward_backward(m, &t, 1.0 / (N - ROWS), loss) || tr_reduce(m, &norm) ||
            tr_step(m, &o, s, o.lr, norm))
            return 1;
        for (size_t i = 0; i < N; i++) sum += (double)loss[i];
        last = sum / (N - ROWS);
        double took = lm_seconds() - start;
        if (took < best) best = took;
    }
    printf("  lmtrain's model    %8.0f tokens/s (%.2f M weights, loss %.4f after %d steps)\n",
           N / best, tr_config_weights(&c) / 1e6, last, STEPS);
    tr_model_free(m);
    return 0;
}

int main(int argc, char **argv)
{
    backend *b = NULL;
    int threads = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0;
    if (threads < 1 || bk_cpu_open(&b, threads)) return 2;
    int rc = !strcmp(argv[1], "products") ? products(b, threads) : steps(b);
    b->close(b);
    return rc;
}
