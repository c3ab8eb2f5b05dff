/* sdpa.h -- private to train/cuda: attention by cuDNN, through the descriptors of its graph API.
 * One call takes `batch` ranges of queries, each against a range of keys; where they lie in the
 * tensors is told by offsets in device memory (cuDNN's ragged tensors), so that a plan serves every
 * call that is not larger. */
#ifndef TRAIN_CUDA_SDPA_H
#define TRAIN_CUDA_SDPA_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

typedef struct sdpa sdpa;

/* What a plan is made for. Rows are elements from one token to the next. */
typedef struct sdpa_shape { /* no padding: compared as bytes */
    int32_t back;
    int32_t causal; /* the last query of a range sees all its keys */
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
void sdpa_close(sdpa *s); /* NULL is fine */

/* Whether cuDNN takes heads of d numbers. */
bool sdpa_takes(size_t d, bool back);

/* Bytes of workspace of a call of this shape; its plan is made and kept. LM_EUSAGE, with cuDNN's
 * words, where it has none that gives equal bits each time. */
LM_CHECKED int sdpa_workspace(sdpa *s, const sdpa_shape *z, size_t *bytes);

/* Queue the call. The workspace is aligned to 256 bytes. */
LM_CHECKED int sdpa_run(sdpa *s, const sdpa_shape *z, const sdpa_call *c, void *workspace);

#endif
