/* cpu.h -- private to train/cpu: the number type and the helpers its files share. */
#ifndef TRAIN_CPU_CPU_H
#define TRAIN_CPU_CPU_H

#include <cblas.h>

#include "train/backend.h"
#include "train/minmax.h"

/* Built with TRAIN_FLOAT64 the same sources compute in float64: the gradient tests compare
 * them with finite differences, which float32 is too coarse for. */
#ifdef TRAIN_FLOAT64
typedef double real;
#define CPU_GEMM cblas_dgemm
#else
typedef float real;
#define CPU_GEMM cblas_sgemm
#endif

/* Inner loops are compiled for several instruction sets and selected at program start. Sanitizers
 * do not support that. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(TRAIN_NO_CLONES)
#define CPU_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CPU_CLONES
#endif

struct cpu_kernel_set;

typedef struct cpu_backend {
    backend table; /* first: a backend * is a cpu_backend * */
    int threads;
    /* Of reading; not in float64. `narrow` is `wide`'s equal for few rows of attention. */
    const struct cpu_kernel_set *wide, *narrow;
    float *partial; /* [partials]: parts of a softmax, of one call */
    size_t partials;
} cpu_backend;

static inline int cpu_threads(const backend *b) { return ((const cpu_backend *)b)->threads; }

/* Whether so many operations are worth more than one thread: waking the others takes microseconds,
 * or longer on busy cores. */
static inline bool cpu_worth(size_t operations) { return operations > (size_t)1 << 16; }

static inline real *wr(const void *p) { return (real *)p; }
static inline const real *rd(const void *p) { return (const real *)p; }

/* c[m, n] = alpha a[m, k] op(b) + beta c, one thread; ld* are row strides. */
static inline void cpu_gemm(bool ta, bool tb, size_t m, size_t n, size_t k, real alpha,
                            const real *a, size_t lda, const real *b, size_t ldb, real beta,
                            real *c, size_t ldc)
{
    CPU_GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
             (blasint)m, (blasint)n, (blasint)k, alpha, a, (blasint)lda, b, (blasint)ldb, beta, c,
             (blasint)ldc);
}

/* x[i] = exp(x[i] - shift) for arguments not above 0; the sum. */
real cpu_exp_row(real *x, size_t n, real shift);
real cpu_max_row(const real *x, size_t n);
real cpu_dot(const real *a, const real *b, size_t n);

/* A span's queries and keys; query i attends to keys up to i + reach. */
typedef struct cpu_window {
    size_t nq, nk, reach;
} cpu_window;
cpu_window cpu_window_of(const bk_spans *spans, const bk_span *v);
/* Queries in no span get o = 0, lse = -infinity. */
void cpu_see_nothing(backend *b, bk_act *o, bk_acc *lse, const bk_spans *spans, size_t heads,
                     size_t d);
/* o = acc / sum, *lse its log-sum-exp; with `merge` combined with what is in both. Elements of acc
 * are `step` apart. */
void cpu_put_row(real *o, real *lse, const real *acc, size_t step, double top, real sum, size_t d,
                 bool merge);

/* Set OpenBLAS to one thread and to kernels for this processor. */
void cpu_blas_prepare(void);
/* "OpenBLAS 0.3.21 Haswell, x86-64-v3": its version and kernels, and the instruction set of the
 * inner loops here. A static string. */
const char *cpu_kernels(void);

/* Each file fills its part of the table. Those of reading are for float32. */
void cpu_products(backend *b);
void cpu_bias(backend *b);
void cpu_attention(backend *b);
void cpu_pointwise(backend *b);
void cpu_update(backend *b);
void cpu_packed(backend *b);
void cpu_read_attention(backend *b);

#endif
