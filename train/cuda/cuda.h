/* cuda.h -- private to train/cuda: the state of the backend, and what its files share. Files in C
 * drive libraries, files in CUDA C++ hold kernels; both read this. */
#ifndef TRAIN_CUDA_CUDA_H
#define TRAIN_CUDA_CUDA_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#include "train/backend.h"

/* Tokens of one product that adds to a gradient: see products.c and backend.block. */
enum { CUDA_BLOCK = 2048 };

enum cuda_attention_kind { CUDA_ATTENTION_AUTO, CUDA_ATTENTION_CUDNN, CUDA_ATTENTION_OWN };

typedef struct cuda_products cuda_products;
typedef struct cuda_attention cuda_attention;

/* Device memory that grows to the largest request. */
typedef struct cuda_room {
    void *p;
    size_t bytes;
} cuda_room;

typedef struct cuda_backend {
    backend table;                           /* first: a backend * is a cuda_backend * */
    int device, multiprocessors, capability; /* capability: 90 is 9.0 */
    char gpu[128];
    cudaStream_t stream;
    cudaStream_t lanes[BK_LANES];
    cudaEvent_t begin[BK_LANES], done[BK_LANES];
    int fault; /* the first error: an LM_* code, and its message */
    char fault_text[768];
    cuda_room scratch; /* of one operation; no contents are passed on */
    float *staging;    /* [CUDA_STAGING] of the device, for conversions */
    double *sums;      /* [CUDA_SUMS] of the device */
    cuda_products *products;
    cuda_attention *attention;
    enum cuda_attention_kind attention_kind;
} cuda_backend;

enum { CUDA_STAGING = 1 << 22, CUDA_SUMS = 1 << 16 };

static inline cuda_backend *cuda_of(backend *b) { return (cuda_backend *)b; }

/* Record an error; the first one is sticky. `cuda_check` true when `e` is good. */
void cuda_fault(cuda_backend *c, int code, const char *text);
bool cuda_check(cuda_backend *c, cudaError_t e, const char *what);

/* At least `bytes` of it, or NULL with a sticky error. Its contents are lost. */
void *cuda_take(cuda_backend *c, cuda_room *r, size_t bytes);

/* products.c */
int cuda_products_open(cuda_backend *c);
void cuda_products_close(cuda_backend *c);

/* attention.c */
int cuda_attention_open(cuda_backend *c);
void cuda_attention_close(cuda_backend *c);
/* Bytes of device memory that attention may still allocate. */
size_t cuda_attention_reserve(const cuda_backend *c);

/* pointwise.cu, bias.cu, loss.cu, update.cu: each sets its part of the table. */
void cuda_pointwise(backend *b);
void cuda_bias(backend *b);
void cuda_loss(backend *b);
void cuda_update(backend *b);

/* own_attention.cu: attention in float32 for heads of any size, in tiles. Spans lie in device
 * memory with, for each, the number of tiles of CUDA_ROWS queries before it; [count + 1]. */
enum { CUDA_ROWS = 8 };
typedef struct cuda_spans {
    const bk_span *v;
    const int64_t *tiles;
    size_t count, all_tiles, queries, keys;
    bool causal;
} cuda_spans;
typedef struct cuda_heads {
    size_t heads, kv_heads, d;
    float scale;
} cuda_heads;
void cuda_own_forward(cuda_backend *c, bk_act *o, bk_acc *lse, const bk_act *q, const bk_act *k,
                      const bk_act *v, const cuda_spans *s, const cuda_heads *z, bool merge);
void cuda_own_backward(cuda_backend *c, bk_act *dq, bk_act *dk, bk_act *dv, bk_acc *delta,
                       const bk_act *dout, const bk_act *o, const bk_acc *lse, const bk_act *q,
                       const bk_act *k, const bk_act *v, const cuda_spans *s, const cuda_heads *z,
                       bool add);
/* x[n] = -infinity. */
void cuda_fill_lowest(cuda_backend *c, float *x, size_t n);
/* o and lse of `rows` queries become attention to their keys and to those of o2 and lse2. */
void cuda_merge(cuda_backend *c, bk_act *o, float *lse, const bk_act *o2, const float *lse2,
                size_t rows, size_t heads, size_t d);
/* sum[key_at[i] + r, columns] += part[part_at[i] + r, columns] for r < length[i], i < count. */
void cuda_gather_add(cuda_backend *c, float *sum, const bk_act *part, const int64_t *key_at,
                     const int64_t *part_at, const int32_t *length, size_t count, size_t longest,
                     size_t columns);
/* y[r, at .. at + columns] = (add ? that : 0) + sum[r, columns], rows of y being `row` apart. */
void cuda_put_sum(cuda_backend *c, bk_act *y, const float *sum, size_t rows, size_t row, size_t at,
                  size_t columns, bool add);

#ifdef __cplusplus
}
#endif
#endif
