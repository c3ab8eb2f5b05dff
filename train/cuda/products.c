/* Matrix products by cuBLASLt: bfloat16 operands, float32 accumulation. An algorithm is chosen once
 * for each kind of product and its sizes, for CUDA_BLOCK tokens, without split-K, and cached: so a
 * row does not depend on the number of rows in a call. (Where cuBLASLt rejects it for a number of
 * tokens, that number gets its own.) Gradients of weights are added block by block of tokens, so
 * that a call is bit-identical to its chunks. Calls of at most FEW tokens (decoding) have their own
 * algorithm. */
#include <cublasLt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cuda/cuda.h"

enum { KINDS = 128, FEW = 16 };

/* The key of an algorithm. Matrices are column-major as in cuBLAS: d[m, n] of float32 or
 * bfloat16. No padding: compared as bytes. */
typedef struct product {
    int64_t m, n, k;
    int32_t transpose_a, transpose_b; /* a is stored [k, m]; b is stored [n, k] */
    int32_t float_out;
    int32_t alignment; /* of the pointers, at most 256 bytes */
} product;

typedef struct chosen {
    product kind;
    cublasLtMatmulAlgo_t algo;
} chosen;

struct cuda_products {
    cublasLtHandle_t handle;
    void *workspace;
    size_t bytes;
    chosen kinds[KINDS];
    size_t count;
};

static bool good(cuda_backend *c, cublasStatus_t s, const char *what)
{
    if (s == CUBLAS_STATUS_SUCCESS) return true;
    char text[256];
    snprintf(text, sizeof text, "%s: cuBLASLt: %s: %s", c->gpu, what, cublasLtGetStatusString(s));
    cuda_fault(c, s == CUBLAS_STATUS_ALLOC_FAILED ? LM_ENOMEM : LM_EIO, text);
    return false;
}

typedef struct layouts {
    cublasLtMatmulDesc_t how;
    cublasLtMatrixLayout_t a, b, d;
} layouts;

static void forget(layouts *l)
{
    if (l->d) cublasLtMatrixLayoutDestroy(l->d);
    if (l->b) cublasLtMatrixLayoutDestroy(l->b);
    if (l->a) cublasLtMatrixLayoutDestroy(l->a);
    if (l->how) cublasLtMatmulDescDestroy(l->how);
}

static bool describe(cuda_backend *c, layouts *l, const product *z)
{
    cublasOperation_t ta = z->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasOperation_t tb = z->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    uint64_t m = (uint64_t)z->m, n = (uint64_t)z->n, k = (uint64_t)z->k;
    *l = (layouts){ 0 };
    return good(c, cublasLtMatmulDescCreate(&l->how, CUBLAS_COMPUTE_32F, CUDA_R_32F), "product") &&
           good(c,
                cublasLtMatmulDescSetAttribute(l->how, CUBLASLT_MATMUL_DESC_TRANSA, &ta, sizeof ta),
                "product") &&
           good(c,
                cublasLtMatmulDescSetAttribute(l->how, CUBLASLT_MATMUL_DESC_TRANSB, &tb, sizeof tb),
                "product") &&
           good(c,
                cublasLtMatrixLayoutCreate(&l->a, CUDA_R_16BF, z->transpose_a ? k : m,
                                           z->transpose_a ? m : k, z->transpose_a ? z->k : z->m),
                "matrix") &&
           good(c,
                cublasLtMatrixLayoutCreate(&l->b, CUDA_R_16BF, z->transpose_b ? n : k,
                                           z->transpose_b ? k : n, z->transpose_b ? z->n : z->k),
                "matrix") &&
           good(c,
                cublasLtMatrixLayoutCreate(&l->d, z->float_out ? CUDA_R_32F : CUDA_R_16BF, m, n,
                                           z->m),
                "matrix");
}

static bool prefer(cuda_backend *c, cublasLtMatmulPreference_t p, const product *z)
{
    uint64_t bytes = c->products->bytes;
    uint32_t whole = CUBLASLT_REDUCTION_SCHEME_NONE, alignment = (uint32_t)z->alignment;
    static const cublasLtMatmulPreferenceAttributes_t aligned[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES,
    };
    bool fine = good(c,
                     cublasLtMatmulPreferenceSetAttribute(
                         p, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof bytes),
                     "workspace") &&
                good(c,
                     cublasLtMatmulPreferenceSetAttribute(
                         p, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &whole, sizeof whole),
                     "no split-K");
    for (size_t i = 0; fine && i < sizeof aligned / sizeof *aligned; i++)
        fine = good(
            c, cublasLtMatmulPreferenceSetAttribute(p, aligned[i], &alignment, sizeof alignment),
            "alignment");
    return fine;
}

/* The algorithm of a kind of product; z has the sizes that it is chosen for. */
static const chosen *algorithm(cuda_backend *c, const product *z)
{
    cuda_products *p = c->products;
    for (size_t i = 0; i < p->count; i++)
        if (!memcmp(&p->kinds[i].kind, z, sizeof *z)) return &p->kinds[i];
    if (p->count == KINDS) {
        cuda_fault(c, LM_EUSAGE, "backend cuda: a model with more than 128 kinds of products");
        return NULL;
    }
    layouts l;
    cublasLtMatmulPreference_t want = NULL;
    cublasLtMatmulHeuristicResult_t found;
    int n = 0;
    chosen *to = NULL;
    if (describe(c, &l, z) && good(c, cublasLtMatmulPreferenceCreate(&want), "preference") &&
        prefer(c, want, z) &&
        good(c,
             cublasLtMatmulAlgoGetHeuristic(p->handle, l.how, l.a, l.b, l.d, l.d, want, 1, &found,
                                            &n),
             "selecting an algorithm")) {
        if (n) {
            to = &p->kinds[p->count++];
            to->kind = *z;
            to->algo = found.algo;
        } else {
            good(c, CUBLAS_STATUS_NOT_SUPPORTED, "selecting an algorithm");
        }
    }
    if (want) cublasLtMatmulPreferenceDestroy(want);
    forget(&l);
    return to;
}

static int32_t alignment_of(const void *p)
{
    uintptr_t v = (uintptr_t)p | 256;
    return (int32_t)(v & -v);
}

static int32_t less(int32_t a, int32_t b) { return a < b ? a : b; }

static cublasStatus_t queue(cuda_backend *c, const chosen *way, const layouts *l, void *d,
                            const void *a, const void *b, bool add)
{
    float one = 1, beta = add ? 1 : 0;
    return cublasLtMatmul(c->products->handle, l->how, &one, a, l->a, b, l->b, &beta, d, l->d, d,
                          l->d, &way->algo, c->products->workspace, c->products->bytes, c->stream);
}

/* d = a b, added to d when `add`; z has the sizes of this call, `tokens` being the one of them
 * that counts tokens. */
static void multiply(cuda_backend *c, product *z, int64_t *tokens, void *d, const void *a,
                     const void *b, bool add)
{
    int64_t n = *tokens;
    z->alignment = less(less(alignment_of(a), alignment_of(b)), alignment_of(d));
    *tokens = n <= FEW && !z->float_out ? FEW : CUDA_BLOCK;
    const chosen *way = algorithm(c, z);
    *tokens = n;
    layouts l = { 0 };
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
    if (way && describe(c, &l, z)) status = queue(c, way, &l, d, a, b, add);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) {
        way = algorithm(c, z);
        if (way) status = queue(c, way, &l, d, a, b, add);
    }
    good(c, status, "product");
    forget(&l);
}

static void linear(backend *b, bk_act *y, const bk_act *x, const bk_act *w, size_t n, size_t in,
                   size_t out, bool add)
{
    product z = { .m = (int64_t)out, .n = (int64_t)n, .k = (int64_t)in, .transpose_a = 1 };
    multiply(cuda_of(b), &z, &z.n, y, w, x, add);
}

static void linear_dx(backend *b, bk_act *dx, const bk_act *dy, const bk_act *w, size_t n,
                      size_t in, size_t out, bool add)
{
    product z = { .m = (int64_t)in, .n = (int64_t)n, .k = (int64_t)out };
    multiply(cuda_of(b), &z, &z.n, dx, w, dy, add);
}

static void linear_dw(backend *b, bk_acc *dw, const bk_act *dy, const bk_act *x, size_t n,
                      size_t in, size_t out)
{
    for (size_t at = 0; at < n; at += CUDA_BLOCK) {
        size_t some = n - at < CUDA_BLOCK ? n - at : CUDA_BLOCK;
        product z = { .m = (int64_t)in,
                      .n = (int64_t)out,
                      .k = (int64_t)some,
                      .transpose_b = 1,
                      .float_out = 1 };
        multiply(cuda_of(b), &z, &z.k, dw, bk_at(b, x, at * in), bk_at(b, dy, at * out), true);
    }
}

int cuda_products_open(cuda_backend *c)
{
    cuda_products *p = calloc(1, sizeof *p);
    if (!p) return lm_fail_nomem(sizeof *p);
    c->products = p;
    p->bytes = (size_t)(c->capability >= 90 ? 32 : 4) << 20;
    c->table.linear = linear;
    c->table.linear_dx = linear_dx;
    c->table.linear_dw = linear_dw;
    if (good(c, cublasLtCreate(&p->handle), "handle") &&
        cuda_check(c, cudaMalloc(&p->workspace, p->bytes), "workspace of products"))
        return LM_OK;
    return lm_fail((enum lm_code)c->fault, "%s", c->fault_text);
}

void cuda_products_close(cuda_backend *c)
{
    if (!c->products) return;
    if (c->products->handle) cublasLtDestroy(c->products->handle);
    cudaFree(c->products->workspace);
    free(c->products);
    c->products = NULL;
}
