/* backend.h -- the operations of a model, as a table of functions that a device implements.
 *
 * The model (model.c) is written once over this table. train/cpu fills it with float32, OpenMP
 * and BLAS and is the reference; another device has its own files, memory and streams.
 *
 * Shapes are in brackets, row-major (last index fastest):
 *   N tokens of all sequences in the call, concatenated        D width of the model
 *   H query heads, K key and value heads, d width of a head    F width of the MLP
 *   V ids of the vocabulary                                    P positions in the RoPE table
 * There is no batch dimension: sequences (or documents) are spans of the N tokens.
 *
 * Operations are queued and return nothing; errors are sticky and returned by finish(). On the CPU
 * they are done when they return. Results are bit-identical from call to call and at any number of
 * threads, and a call over tokens [a, c) is bit-identical to calls over [a, b) and [b, c) when
 * b - a is a multiple of the backend's `block`: so chunks and recomputation change nothing. */
#ifndef TRAIN_BACKEND_H
#define TRAIN_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

enum { BK_BLOCK = 256 }; /* tokens: divides every backend's `block` */
enum { BK_PACKED_ROWS = 32 };
enum { BK_LANES = 2 }; /* independent queues of transfers between device and host */

/* Device memory. The types are never complete, so that no host code reads through them.
 * bk_act: weights and activations, in the input type of products (float32 on the CPU).
 * bk_acc: gradients of weights, statistics, optimizer state: float32 or better everywhere.
 * bk_int: int32_t. */
typedef struct bk_act bk_act;
typedef struct bk_acc bk_acc;
typedef struct bk_int bk_int;

/* Weights of a model that is only read, in the order that the backend reads them fastest. bfloat16
 * holds the values of a bfloat16 file exactly, in half the memory; sums are float32 with either. */
typedef struct bk_packed bk_packed;
enum bk_packing { BK_FLOAT32, BK_BFLOAT16 };

/* The keys that queries of one call of attention attend to. Span i: queries q .. q+nq-1 attend to
 * keys k .. k+nk-1; where `causal`, the last query to all of them and each one before it to one key
 * less (nq <= nk). Spans of a call ascend in q and share no query; they may share keys. A query in
 * no span has o = 0, lse = -infinity. A host array, borrowed during the call. */
typedef struct bk_span {
    size_t q, nq, k, nk; /* nq, nk > 0 */
} bk_span;
typedef struct bk_spans {
    size_t count;
    const bk_span *v; /* [count] */
    bool causal;
    size_t queries, keys; /* rows of q and o; rows of k and v */
} bk_spans;

typedef struct bk_adamw {
    double lr, beta1, beta2, eps, decay; /* decay: 0: no weight decay */
    double scale;                        /* the gradient is multiplied by it first: clipping */
    uint64_t step;                       /* from 1: bias correction */
} bk_adamw;

typedef struct backend backend;
struct backend {
    const char *name;
    const char *kernels; /* what else the rounding of results depends on: library, version,
                          * instruction set or device */
    size_t act_bytes, acc_bytes;
    size_t block; /* tokens: see above */
    bool master;  /* the optimizer keeps an acc copy of each weight; false: the weight is its own */
    bool unified; /* device memory is host memory: both count against available() */

    void (*close)(backend *b);

    /* ---- memory ---- */
    /* `bytes` of zeroed device memory, or LM_ENOMEM. */
    int (*alloc)(backend *b, void **out, size_t bytes);
    void (*free)(backend *b, void *p, size_t bytes);
    /* Bytes that could be allocated now; 0: unknown. */
    size_t (*available)(backend *b);

    void (*put_act)(backend *b, bk_act *dst, const float *src, size_t n);
    void (*put_acc)(backend *b, bk_acc *dst, const float *src, size_t n);
    void (*put_int)(backend *b, bk_int *dst, const int32_t *src, size_t n);
    /* get_* wait for the work that they depend on. */
    void (*get_act)(backend *b, float *dst, const bk_act *src, size_t n);
    void (*get_acc)(backend *b, float *dst, const bk_acc *src, size_t n);
    void (*copy_act)(backend *b, bk_act *dst, const bk_act *src, size_t n);
    void (*zero_act)(backend *b, bk_act *dst, size_t n);
    void (*zero_acc)(backend *b, bk_acc *dst, size_t n);
    /* Wait for all queued work, including transfers: 0, or the first error. */
    int (*finish)(backend *b);

    /* ---- host memory for offloading, in the device's types ---- */
    /* `bytes` of zeroed host memory, pinned for fast transfers, or LM_ENOMEM. */
    int (*alloc_host)(backend *b, void **out, size_t bytes);
    void (*free_host)(backend *b, void *p, size_t bytes);
    /* Transfers: host[bytes] = dev, and dev = host[bytes]. One begins after all work queued
     * before it (including transfers of its own lane, but not of the other), and overlaps with work
     * queued after it, up to join(lane): work queued after that finds the lane's transfers done.
     * Until then queued work may not write what is stored, nor access what is fetched.
     * lane < BK_LANES. */
    void (*store)(backend *b, void *host, const void *dev, size_t bytes, int lane);
    void (*fetch)(backend *b, void *dev, const void *host, size_t bytes, int lane);
    void (*join)(backend *b, int lane);

    /* ---- matrix products: w is [O, I] as in a model file ---- */
    /* y[N, O] = x[N, I] w^T, added to y when `add`. */
    void (*linear)(backend *b, bk_act *y, const bk_act *x, const bk_act *w, size_t n, size_t in,
                   size_t out, bool add);
    /* dx[N, I] = dy[N, O] w, added when `add`. */
    void (*linear_dx)(backend *b, bk_act *dx, const bk_act *dy, const bk_act *w, size_t n,
                      size_t in, size_t out, bool add);
    /* dw[O, I] += dy[N, O]^T x[N, I]. */
    void (*linear_dw)(backend *b, bk_acc *dw, const bk_act *dy, const bk_act *x, size_t n,
                      size_t in, size_t out);

    /* ---- biases of products ---- */
    /* y[N, O] += bias[O]. */
    void (*bias)(backend *b, bk_act *y, const bk_act *bias, size_t n, size_t out);
    /* dbias[O] += the sum of dy[N, O] over the tokens. */
    void (*bias_back)(backend *b, bk_acc *dbias, const bk_act *dy, size_t n, size_t out);

    /* ---- RMSNorm; of heads: with a row for each, N H rows of d ---- */
    /* rstd[N] = 1/sqrt(mean(x^2) + eps); y[N, D] = x rstd w[D]. y may be x. */
    void (*rmsnorm)(backend *b, bk_act *y, bk_acc *rstd, const bk_act *x, const bk_act *w, size_t n,
                    size_t dim, double eps);
    /* dx[N, D] += , dw[D] +=. */
    void (*rmsnorm_back)(backend *b, bk_act *dx, bk_acc *dw, const bk_act *dy, const bk_act *x,
                         const bk_act *w, const bk_acc *rstd, size_t n, size_t dim);

    /* ---- RoPE: y[N, heads, d] = x rotated, halves of a head paired (i, i + d/2) ----
     * table[P, d]: d/2 cosines, then d/2 sines, for position pos[N]. `back` rotates back:
     * the gradient. `add`: added to y. y may be x, unless `add`. */
    void (*rope)(backend *b, bk_act *y, const bk_act *x, const bk_int *pos, const bk_acc *table,
                 size_t n, size_t heads, size_t d, bool back, bool add);

    /* ---- attention over spans, the softmax of scale q k ----
     * o[queries, H, d], lse[queries, H] from q[queries, H, d], k[keys, K, d], v[keys, K, d]; head
     * h uses key head h / (H / K). Scratch memory grows with neither.
     * `merge`: o and lse hold attention to other keys already, and become attention to both:
     * o = sum_t e^(lse_t - lse) o_t, lse = log sum_t e^lse_t, weights in float32 or better. */
    void (*attention)(backend *b, bk_act *o, bk_acc *lse, const bk_act *q, const bk_act *k,
                      const bk_act *v, const bk_spans *spans, size_t heads, size_t kv_heads,
                      size_t d, double scale, bool merge);
    /* dq is set (0 where a query is in no span), dk and dv are set, or added to when `add`. o and
     * lse are of the whole softmax, so that the gradients of merged calls are the sums of the
     * calls' own. delta[queries, H] is scratch. */
    void (*attention_back)(backend *b, bk_act *dq, bk_act *dk, bk_act *dv, bk_acc *delta,
                           const bk_act *dout, const bk_act *o, const bk_acc *lse, const bk_act *q,
                           const bk_act *k, const bk_act *v, const bk_spans *spans, size_t heads,
                           size_t kv_heads, size_t d, double scale, bool add);

    /* ---- SwiGLU over n elements: y = silu(gate) up ---- */
    void (*swiglu)(backend *b, bk_act *y, const bk_act *gate, const bk_act *up, size_t n);
    /* dgate may be dy. */
    void (*swiglu_back)(backend *b, bk_act *dgate, bk_act *dup, const bk_act *dy,
                        const bk_act *gate, const bk_act *up, size_t n);

    /* ---- embedding ---- */
    /* x[N, D] = table[V, D] at ids[N]; dtable[V, D] += dx. */
    void (*embed)(backend *b, bk_act *x, const bk_act *table, const bk_int *ids, size_t n,
                  size_t dim);
    void (*embed_back)(backend *b, bk_acc *dtable, const bk_act *dx, const bk_int *ids, size_t n,
                       size_t dim);

    /* ---- loss ----
     * loss[N] = -log softmax(logits[N, V])[target[N]], 0 where target is negative. With `grad`
     * the logits become `scale` times their gradient. */
    void (*cross_entropy)(backend *b, bk_acc *loss, bk_act *logits, const bk_int *target, size_t n,
                          size_t vocab, double scale, bool grad);

    /* ---- reading: all NULL where a backend has none of it, and the operations above are used ----
     * With these the results of a token depend on no other token of the call, so that any chunks are
     * bit-identical; and both packings of the same values are, too. They may round differently
     * from the operations above. */
    /* Memory of a matrix w[O, I], or of an embedding [V, D]. */
    size_t (*packed_bytes)(backend *b, size_t out, size_t in, enum bk_packing how);
    /* Rows first .. first+n-1 of w from src[n, I], rounded to the nearest where it is bfloat16.
     * `first` is a multiple of BK_PACKED_ROWS, and so is n but for the last rows. */
    void (*pack)(backend *b, bk_packed *w, const float *src, size_t first, size_t n, size_t in,
                 enum bk_packing how);
    /* As linear and embed. */
    void (*packed_linear)(backend *b, bk_act *y, const bk_act *x, const bk_packed *w, size_t n,
                          size_t in, size_t out, enum bk_packing how, bool add);
    void (*packed_embed)(backend *b, bk_act *x, const bk_packed *table, const bk_int *ids, size_t n,
                         size_t dim, enum bk_packing how);
    /* As attention. */
    void (*read_attention)(backend *b, bk_act *o, bk_acc *lse, const bk_act *q, const bk_act *k,
                           const bk_act *v, const bk_spans *spans, size_t heads, size_t kv_heads,
                           size_t d, double scale, bool merge);

    /* ---- optimizer and reductions ---- */
    /* One step of AdamW over n elements. master is NULL unless b->master. */
    void (*adamw)(backend *b, bk_act *w, bk_acc *master, bk_acc *m, bk_acc *v, const bk_acc *g,
                  size_t n, const bk_adamw *how);
    /* Sum of squares, accumulated in double. */
    double (*sum_squares)(backend *b, const bk_acc *x, size_t n);

    /* Peak FLOP/s of large products, measured or known; for MFU. */
    double (*peak)(backend *b);
};

static inline bk_act *bk_at(const backend *b, const bk_act *p, size_t n)
{
    return (bk_act *)((char *)p + n * b->act_bytes);
}

static inline bk_acc *bk_acc_at(const backend *b, const bk_acc *p, size_t n)
{
    return (bk_acc *)((char *)p + n * b->acc_bytes);
}

static inline bk_int *bk_int_at(const bk_int *p, size_t n) { return (bk_int *)((char *)p + n * 4); }

/* A backend by its name: "cpu", or "cuda" where it was built in. No fallback to another. `threads`
 * is for the CPU. 0, LM_EUSAGE or LM_ENOMEM. */
LM_CHECKED int bk_open(backend **out, const char *name, int threads);

/* The reference on `threads` threads: float32 (float64 where all of train/ is built with
 * TRAIN_FLOAT64). 0, LM_EUSAGE or LM_ENOMEM. */
LM_CHECKED int bk_cpu_open(backend **out, int threads);

/* The GPU that CUDA shows first, in bfloat16 with float32 sums and master weights; only in a build
 * with CUDA=1. LM_CUDA_ATTENTION in the environment chooses the attention: "cudnn", "own" (plain
 * kernels, for head sizes that cuDNN does not support), or "auto". LM_EUSAGE without a GPU. */
LM_CHECKED int bk_cuda_open(backend **out);

#endif
