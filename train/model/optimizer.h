/* optimizer.h -- AdamW over all weights of a model; the learning rate as a function of tokens. */
#ifndef TRAIN_MODEL_OPTIMIZER_H
#define TRAIN_MODEL_OPTIMIZER_H

#include <stdint.h>

#include "train/model/model.h"

enum tr_schedule { TR_CONSTANT, TR_LINEAR, TR_COSINE };

typedef struct tr_optimizer {
    double lr, beta1, beta2, eps;
    double decay; /* decoupled; of matrices, not of norms */
    double clip;  /* the gradient's norm is brought down to this; 0: never */
    enum tr_schedule schedule;
    double min_lr; /* what linear and cosine end at */
    double warmup; /* tokens over which the rate rises from 0 */
    double total;  /* tokens of the whole run */
} tr_optimizer;

/* The rate of a step that takes the run from `done` tokens to `done` + `batch`. */
double tr_learning_rate(const tr_optimizer *o, double done, double batch);

/* Sum the gradients of all ranks, each rank those of its share; `norm` is that of all together. 0,
 * or a fault, which is every rank's. */
LM_CHECKED int tr_reduce(tr_model *m, double *norm);

/* Step `step` (from 1) at rate `lr`, with gradients of norm `norm`: each rank its share, and all
 * get all weights. The gradients become 0. 0, or a fault, which is every rank's. */
LM_CHECKED int tr_step(tr_model *m, const tr_optimizer *o, uint64_t step, double lr, double norm);

#endif
