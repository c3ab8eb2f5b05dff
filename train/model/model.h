/* model.h -- a LLaMA over a backend: its weights, their gradients and optimizer state, forward and
 * backward. Nothing is allocated after tr_model_new, and what that takes is known before. */
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

/* How a model lies in memory, and how it attends. */
typedef struct tr_layout {
    size_t tokens; /* at most so many in one call (N) */
    size_t length; /* the longest sequence; dynamic scaling and mscale are of it */
    size_t slice;  /* the MLP and the loss take so many tokens at a time; BK_BLOCK divides it */
    size_t cache;  /* keys and values of so many tokens stay from call to call; not with train */
    attn_form attention;
    bool
        any_form; /* with room for tr_model_set_attention to bring in any form of the config's length */
    double mscale;  /* a: scores times max(1, a ln(length / L0) + 1)^2, L0 the config's positions */
    bool train;     /* gradients and optimizer state too */
    bool recompute; /* keep each layer's input only and compute the rest again */
    bool keep_attention;      /* with recompute: keep attention's output and log-sum-exp too */
    bool offload_optimizer;   /* optimizer state stands in host memory */
    bool offload_checkpoints; /* with recompute: the layers' inputs wait in host memory */
    size_t stage; /* numbers of the state on the device at a time when it is offloaded; 0: 4 M */
    comm *ranks;  /* who shares the optimizer state; NULL: nobody. Borrowed for the model's life */
} tr_layout;

/* What the memory goes to, in bytes. */
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
    size_t bytes[TR_MEM_KINDS], total; /* of the device */
    size_t host[TR_MEM_KINDS], host_total;
} tr_plan;
extern const char *const tr_memory_names[TR_MEM_KINDS];

/* One weight. Matrices are [rows, cols]; norms have rows = 1 and are vectors of cols. */
typedef struct tr_param {
    char name[80]; /* as Hugging Face names it */
    size_t rows, cols;
    size_t at; /* its first number's place when all weights stand end to end */
    bk_act *w;
    bk_acc *grad; /* NULL where the layout has none */
} tr_param;
static inline size_t tr_param_count(const tr_param *p) { return p->rows * p->cols; }
static inline bool tr_param_is_norm(const tr_param *p) { return p->rows == 1; }

/* Tokens of one call: host arrays, borrowed. Document i is tokens starts[i] .. starts[i+1]-1;
 * attention does not cross it, and its positions count from its start. */
typedef struct tr_batch {
    size_t n;
    const int32_t *ids, *targets; /* [n]; target < 0: no loss there */
    size_t count;                 /* documents, none of them empty */
    const uint32_t *starts;       /* [count + 1]: 0 .. n */
    size_t past; /* tokens in the cache that these go on with; then count is 1. 0 without a cache */
} tr_batch;

typedef struct tr_model tr_model;

/* What tr_model_new would allocate. 0 or LM_ENOMEM. */
LM_CHECKED int tr_model_plan(tr_plan *out, const tr_config *c, const tr_layout *l, backend *b);

/* A model of this shape; c and b are borrowed for its life. Weights are zero. 0, LM_ENOMEM, or
 * LM_EUSAGE for a layout that makes no sense. */
LM_CHECKED int tr_model_new(tr_model **out, const tr_config *c, const tr_layout *l, backend *b);
void tr_model_free(tr_model *m); /* NULL is fine */

/* Attend as `l` says from now on: its attention, its length (not above that m was made with) and
 * mscale, and the config's rotation as it stands now. For a model made with any_form. */
LM_CHECKED int tr_model_set_attention(tr_model *m, const tr_layout *l);

backend *tr_model_backend(const tr_model *m);
comm *tr_model_ranks(const tr_model *m); /* comm_alone() where the layout names none */
size_t tr_model_params(const tr_model *m);
tr_param *tr_model_param(tr_model *m, size_t i);

/* Weights from normal deviates of init_std (norms are 1): a function of seed, tensor and place. */
LM_CHECKED int tr_model_init(tr_model *m, uint64_t seed);

/* Weights from a file or directory. A tensor that is missing, of another shape, or not of a
 * LLaMA is LM_EDATA with its name. *dtype (may be NULL) becomes the type they were kept in. */
LM_CHECKED int tr_model_load(tr_model *m, const char *path, enum st_dtype *dtype);

/* The type of the weights in a model directory. */
LM_CHECKED int tr_model_dtype(const char *dir, enum st_dtype *dtype);

/* Write the weights as one .safetensors file: rank 0 does, and all call. */
LM_CHECKED int tr_model_save(tr_model *m, const char *path, enum st_dtype dtype);

/* Forward; losses[n] (may be NULL) get each token's loss. With `scale` > 0 also backward: scale
 * times the gradient of the summed loss is added to the gradients. 0, or the backend's fault. */
LM_CHECKED int tr_model_forward_backward(tr_model *m, const tr_batch *t, double scale,
                                         float *losses);

/* Forward alone. logits (may be NULL) gets those of the last token, [vocab], or with `all` of each,
 * [n, vocab]; losses[n] (may be NULL) as above. */
LM_CHECKED int tr_model_forward(tr_model *m, const tr_batch *t, bool all, float *logits,
                                float *losses);

#endif
