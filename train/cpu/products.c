/* Matrix products, cut into blocks of fixed size with one single-threaded BLAS call each, so that
 * results depend neither on the number of threads nor on how the caller chunks the tokens. */
#include "train/cpu/cpu.h"

enum { COLUMNS = 1024 }; /* of the result, per block */

static size_t blocks(size_t n, size_t size) { return (n + size - 1) / size; }

static void linear(backend *b, bk_act *y, const bk_act *x, const bk_act *w, size_t n, size_t in,
                   size_t out, bool add)
{
    size_t across = blocks(out, COLUMNS), all = blocks(n, BK_BLOCK) * across;
#pragma omp parallel for num_threads(cpu_threads(b)) schedule(dynamic) if (cpu_worth(n * in * out))
    for (size_t i = 0; i < all; i++) {
        size_t t = i / across * BK_BLOCK, o = i % across * COLUMNS;
        cpu_gemm(false, true, size_min(BK_BLOCK, n - t), size_min(COLUMNS, out - o), in, 1,
                 rd(x) + t * in, in, rd(w) + o * in, in, add, wr(y) + t * out + o, out);
    }
}

static void linear_dx(backend *b, bk_act *dx, const bk_act *dy, const bk_act *w, size_t n,
                      size_t in, size_t out, bool add)
{
    size_t across = blocks(in, COLUMNS), all = blocks(n, BK_BLOCK) * across;
#pragma omp parallel for num_threads(cpu_threads(b)) schedule(dynamic) if (cpu_worth(n * in * out))
    for (size_t i = 0; i < all; i++) {
        size_t t = i / across * BK_BLOCK, c = i % across * COLUMNS;
        cpu_gemm(false, false, size_min(BK_BLOCK, n - t), size_min(COLUMNS, in - c), out, 1,
                 rd(dy) + t * out, out, rd(w) + c, in, add, wr(dx) + t * in + c, in);
    }
}

static void linear_dw(backend *b, bk_acc *dw, const bk_act *dy, const bk_act *x, size_t n,
                      size_t in, size_t out)
{
    /* One block of dw stays in the CPU cache while all tokens are added. */
    size_t across = blocks(in, COLUMNS), all = blocks(out, BK_BLOCK) * across;
#pragma omp parallel for num_threads(cpu_threads(b)) schedule(dynamic) if (cpu_worth(n * in * out))
    for (size_t i = 0; i < all; i++) {
        size_t o = i / across * BK_BLOCK, c = i % across * COLUMNS;
        for (size_t t = 0; t < n; t += BK_BLOCK)
            cpu_gemm(true, false, size_min(BK_BLOCK, out - o), size_min(COLUMNS, in - c),
                     size_min(BK_BLOCK, n - t), 1, rd(dy) + t * out + o, out, rd(x) + t * in + c,
                     in, 1, wr(dw) + o * in + c, in);
    }
}

void cpu_products(backend *b)
{
    b->linear = linear;
    b->linear_dx = linear_dx;
    b->linear_dw = linear_dw;
}
