/* model.h -- a model over a backend: weights, gradients, optimizer state, forward and backward
 * pass. Nothing is allocated after tr_model_new, and what that allocates is known before. */
#ifndef TRAIN_MODEL_MODEL_H
#define TRAIN_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "train/model/attn_map.h"
#include "train/backend.h"
#include "train/comm/comm.h"
#include "train/model/config.h"
#include "train/files/safetensors.h"

/* How matrices and the embedding are kept. Packed weights are for reading: forward passes at the
 * backend's best speed, and nothing else. A backend without packing keeps them plain. */
enum tr_weights { TR_WEIGHTS_PLAIN, TR_WEIGHTS_FLOAT32, TR_WEIGHTS_BFLOAT16 };

/* The memory layout of a model, and its attention. */
typedef struct tr_layout {
    size_t tokens;           /* of one call, at most (N) */
    size_t length;           /* the longest sequence; dynamic scaling and mscale depend on it */
    size_t slice;            /* tokens per chunk of MLP and logits, a multiple of BK_BLOCK */
    size_t cache;            /* tokens of the KV cache; 0: none. Not with train */
    enum tr_weights weights; /* not plain: not with train */
    attn_form attention;
    bool any_form; /* tr_model_set_attention may choose any form of the config's length */
    double
        mscale; /* a: scores times max(1, a ln(length / L0) + 1)^2, L0 that of tr_config_trained */
    bool train; /* gradients and optimizer state too */
    bool recompute;           /* activation checkpointing: save each layer's input only */
    bool keep_attention;      /* with recompute: also save attention's output and log-sum-exp */
    bool offload_optimizer;   /* optimizer state in host memory */
    bool offload_checkpoints; /* with recompute: layer inputs in host memory */
    size_t stage;             /* elements of offloaded state on the device at a time; 0: 4 M */
    comm *ranks; /* optimizer state is sharded over these (ZeRO-1); NULL: one rank. Borrowed */
} tr_layout;

/* Kinds of memory. */
enum tr_memory {
    TR_MEM_WEIGHTS,
    TR_MEM_GRADIENTS,
    TR_MEM_OPTIMIZER,
    TR_MEM_ACTIVATIONS,
    TR_MEM_ATTENTION,
    TR_MEM_KV_CACHE,
    TR_MEM_WORK,
    TR_MEM_CHUNK,
    TR_MEM_KINDS,
};
typedef struct tr_plan {
    size_t bytes[TR_MEM_KINDS], total; /* device */
    size_t host[TR_MEM_KINDS], host_total;
} tr_plan;
extern const char *const tr_memory_names[TR_MEM_KINDS];

/* One weight: a matrix [rows, cols], or a vector of cols, the weight of a norm or a bias. */
typedef struct tr_param {
    char name[80];     /* as Hugging Face names it */
    size_t rows, cols; /* a vector has rows = 1 */
    bool vector, bias; /* vectors have rank 1 in files, and no weight decay */
    size_t at;         /* offset in the concatenation of all weights */
    bk_act *w;         /* NULL where packed */
    bk_packed *packed; /* NULL where plain */
    bk_acc *grad;      /* NULL where the layout has none */
} tr_param;
static inline size_t tr_param_count(const tr_param *p) { return p->rows * p->cols; }

/* Tokens of one call: host arrays, borrowed. Document i is tokens starts[i] .. starts[i+1]-1;
 * attention does not cross it, and its positions count from its start. */
typedef struct tr_batch {
    size_t n;
    const int32_t *ids, *targets; /* [n]; target < 0: no loss there */
    size_t count;                 /* documents, none of them empty */
    const uint32_t *starts;       /* [count + 1]: 0 .. n */
    size_t past; /* tokens in the KV cache before these; then count is 1. 0 without a cache */
} tr_batch;

typedef struct tr_model tr_model;

/* What tr_model_new would allocate. 0 or LM_ENOMEM. */
LM_CHECKED int tr_model_plan(tr_plan *out, const tr_config *c, const tr_layout *l, backend *b);

/* A model of this shape; c and b are borrowed until tr_model_free. Weights are zero. 0, LM_ENOMEM,
 * or LM_EUSAGE for an inconsistent layout. */
LM_CHECKED int tr_model_new(tr_model **out, const tr_config *c, const tr_layout *l, backend *b);
void tr_model_free(tr_model *m); /* NULL is allowed */

/* Use the attention, length (at most that of tr_model_new) and mscale of `l`, and the config's
 * current RoPE settings. For a model with any_form. */
LM_CHECKED int tr_model_set_attention(tr_model *m, const tr_layout *l);

backend *tr_model_backend(const tr_model *m);
comm *tr_model_ranks(const tr_model *m); /* comm_alone() for a NULL in the layout */
size_t tr_model_params(const tr_model *m);
tr_param *tr_model_param(tr_model *m, size_t i);

/* Random weights: normal with init_std (norms are 1, biases 0); a function of seed, tensor and
 * element. */
LM_CHECKED int tr_model_init(tr_model *m, uint64_t seed);

/* Weights from a file or directory. A tensor that is missing, of another shape, or not of a
 * model of the config is LM_EDATA with its name. *dtype (may be NULL): the type in the file. */
LM_CHECKED int tr_model_load(tr_model *m, const char *path, enum st_dtype *dtype);

/* The type of the weights in a model directory. */
LM_CHECKED int tr_model_dtype(const char *dir, enum st_dtype *dtype);

/* Whether every weight in it is bfloat16. */
LM_CHECKED int tr_model_is_bfloat16(const char *dir, bool *is);

/* Write the weights as one .safetensors file. Collective; rank 0 writes. LM_EUSAGE for packed
 * weights. */
LM_CHECKED int tr_model_save(tr_model *m, const char *path, enum st_dtype dtype);

/* Forward pass; losses[n] (may be NULL) are set to the loss of each token. With `scale` > 0 also
 * backward pass: scale times the gradient of the summed loss is added to the gradients. 0, or the
 * backend's error. */
LM_CHECKED int tr_model_forward_backward(tr_model *m, const tr_batch *t, double scale,
                                         float *losses);

/* Forward pass only. logits (may be NULL): of the last token, [vocab], or with `all` of each token,
 * [n, vocab]; losses[n] (may be NULL) as above. */
LM_CHECKED int tr_model_forward(tr_model *m, const tr_batch *t, bool all, float *logits,
                                float *losses);

#endif
