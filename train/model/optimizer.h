/* optimizer.h -- AdamW over all weights of a model; the learning rate as a function of tokens. */
#ifndef TRAIN_MODEL_OPTIMIZER_H
#define TRAIN_MODEL_OPTIMIZER_H

#include <stdint.h>

#include "train/model/model.h"

enum tr_schedule { TR_CONSTANT, TR_LINEAR, TR_COSINE };

typedef struct tr_optimizer {
    double lr, beta1, beta2, eps;
    double decay; /* decoupled; of matrices, not of norms and biases */
    double clip;  /* largest gradient norm; 0: no clipping */
    enum tr_schedule schedule;
    double min_lr; /* at the end of linear and cosine */
    double warmup; /* tokens of linear warmup from 0 */
    double total;  /* tokens of the whole run */
} tr_optimizer;

/* The learning rate of the step from `done` to `done` + `batch` tokens. */
double tr_learning_rate(const tr_optimizer *o, double done, double batch);

/* Reduce-scatter the gradients; `norm` is the global gradient norm. 0, or an error, the same on all
 * ranks. */
LM_CHECKED int tr_reduce(tr_model *m, double *norm);

/* Optimizer step `step` (from 1) at learning rate `lr`, with gradients of norm `norm`: each rank
 * updates its shard (ZeRO-1), and weights are all-gathered. The gradients become 0. 0, or an error,
 * the same on all ranks. */
LM_CHECKED int tr_step(tr_model *m, const tr_optimizer *o, uint64_t step, double lr, double norm);

#endif
