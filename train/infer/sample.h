/* sample.h -- choose the next token from logits. */
#ifndef TRAIN_INFER_SAMPLE_H
#define TRAIN_INFER_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

typedef struct tr_sampling {
    double temperature; /* logits are divided by it; 0: greedy (argmax, ties to the lowest id) */
    size_t top_k;       /* the most probable tokens only; 0: all */
    double top_p;       /* of those the smallest set that reaches this share; 1: all */
    uint64_t seed;
} tr_sampling;

typedef struct tr_candidate {
    double p;
    int32_t id;
} tr_candidate;

/* Token number `step` of a text: a pure function of the arguments. scratch is [vocab]. The id, or
 * LM_EDATA where logits are not finite. */
LM_CHECKED int tr_sample(const tr_sampling *how, const float *logits, size_t vocab, uint64_t step,
                         tr_candidate *scratch);

/* log p(id): the log-softmax of finite logits [vocab] at `id`. */
double tr_logprob(const float *logits, size_t vocab, int32_t id);

#endif
