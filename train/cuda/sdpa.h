/* sdpa.h -- private to train/cuda: attention by cuDNN, through the descriptors of its graph API.
 * One call computes `batch` ranges of queries, each with a range of keys; their offsets in
 * the tensors are in device memory (cuDNN's ragged tensors), so that a plan fits smaller calls. */
#ifndef TRAIN_CUDA_SDPA_H
#define TRAIN_CUDA_SDPA_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

typedef struct sdpa sdpa;

/* The key of a plan. Rows: elements from one token to the next. */
typedef struct sdpa_shape { /* no padding: compared as bytes */
    int32_t back;
    int32_t causal; /* the last query of a range attends to all its keys */
    int64_t batch, heads, kv_heads, d;
    int64_t queries, keys;    /* of a range, at most */
    int64_t q_row, kv_row;    /* of q, dout, dq and (back) o; of k and v */
    int64_t o_row, stats_row; /* of o (forward); of the log-sum-exp */
    int64_t grad_row;         /* of dk and dv */
} sdpa_shape;

/* Arguments of a call; device memory but for `scale`. Offsets are elements from the pointer on,
 * [batch + 1]; lengths are tokens, [batch], and may be 0. */
typedef struct sdpa_call {
    const void *q, *k, *v, *o, *dout;
    float *stats; /* forward sets it, backward reads it */
    void *dq, *dk, *dv;
    const int64_t *q_at, *kv_at, *o_at, *stats_at, *grad_at;
    const int32_t *q_len, *kv_len;
    float scale;
} sdpa_call;

LM_CHECKED int sdpa_open(sdpa **out, cudaStream_t stream);
void sdpa_close(sdpa *s); /* NULL is allowed */

/* Whether cuDNN supports heads of size d. */
bool sdpa_takes(size_t d, bool back);

/* Bytes of workspace of a call of this shape; its plan is built and cached. LM_EUSAGE, with
 * cuDNN's message, where it has no deterministic one. */
LM_CHECKED int sdpa_workspace(sdpa *s, const sdpa_shape *z, size_t *bytes);

/* Queue the call. The workspace is aligned to 256 bytes. */
LM_CHECKED int sdpa_run(sdpa *s, const sdpa_shape *z, const sdpa_call *c, void *workspace);

#endif
