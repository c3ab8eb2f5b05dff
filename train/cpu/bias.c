/* Biases of products. */
#include "train/cpu/cpu.h"

enum { COLUMNS = 64 };

CPU_CLONES static void add_row(real *y, const real *bias, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] += bias[i];
}

static void bias(backend *b, bk_act *y, const bk_act *values, size_t n, size_t out)
{
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n * out))
    for (size_t t = 0; t < n; t++) add_row(wr(y) + t * out, rd(values), out);
}

/* By columns, so that each sum runs over the tokens in their order; by blocks of tokens, so that
 * slices give the same bits and long sums lose less. */
static void bias_back(backend *b, bk_acc *dbias, const bk_act *dy, size_t n, size_t out)
{
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n * out))
    for (size_t c = 0; c < out; c += COLUMNS)
        for (size_t t = 0; t < n; t += BK_BLOCK) {
            real sum[COLUMNS] = { 0 };
            size_t columns = size_min(COLUMNS, out - c), rows = size_min(BK_BLOCK, n - t);
            for (size_t i = 0; i < rows; i++) add_row(sum, rd(dy) + (t + i) * out + c, columns);
            add_row(wr(dbias) + c, sum, columns);
        }
}

void cpu_bias(backend *b)
{
    b->bias = bias;
    b->bias_back = bias_back;
}
