/* The optimizer and the reductions. */
#include <math.h>

#include "train/cpu/cpu.h"

enum { RUN = 4096 }; /* elements: one thread's piece, and one partial sum */

CPU_CLONES static void adamw_run(real *w, real *m, real *v, const real *g, size_t n,
                                 const bk_adamw *how, real lr, real unbias)
{
    real b1 = (real)how->beta1, b2 = (real)how->beta2, eps = (real)how->eps;
    real keep = (real)(1 - how->lr * how->decay), scale = (real)how->scale;
    for (size_t i = 0; i < n; i++) {
        real gi = g[i] * scale;
        m[i] = b1 * m[i] + (1 - b1) * gi;
        v[i] = b2 * v[i] + (1 - b2) * gi * gi;
#ifdef TRAIN_FLOAT64
        real root = sqrt(v[i]);
#else
        real root = sqrtf(v[i]);
#endif
        w[i] = w[i] * keep - lr * m[i] / (root * unbias + eps);
    }
}

/* As PyTorch's AdamW: decay first, then lr/(1 - b1^t) m / (sqrt(v)/sqrt(1 - b2^t) + eps). */
static void adamw(backend *b, bk_act *w, bk_acc *master, bk_acc *m, bk_acc *v, const bk_acc *g,
                  size_t n, const bk_adamw *how)
{
    (void)master;
    real lr = (real)(how->lr / (1 - pow(how->beta1, (double)how->step)));
    real unbias = (real)(1 / sqrt(1 - pow(how->beta2, (double)how->step)));
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n))
    for (size_t i = 0; i < n; i += RUN)
        adamw_run(wr(w) + i, wr(m) + i, wr(v) + i, rd(g) + i, size_min(RUN, n - i), how, lr,
                  unbias);
}

CPU_CLONES static double squares_run(const real *x, size_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sum;
}

static double sum_squares(backend *b, const bk_acc *x, size_t n)
{
    /* Partial sums of a fixed size, added in order: a window of them at a time. */
    enum { WINDOW = 1024 };
    double part[WINDOW], sum = 0;
    for (size_t at = 0; at < n; at += (size_t)WINDOW * RUN) {
        size_t parts = size_min(WINDOW, (n - at + RUN - 1) / RUN);
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n))
        for (size_t i = 0; i < parts; i++)
            part[i] = squares_run(rd(x) + at + i * RUN, size_min(RUN, n - at - i * RUN));
        for (size_t i = 0; i < parts; i++) sum += part[i];
    }
    return sum;
}

void cpu_update(backend *b)
{
    b->adamw = adamw;
    b->sum_squares = sum_squares;
}
