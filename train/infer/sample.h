/* sample.h -- the next token of a text, from logits. */
#ifndef TRAIN_INFER_SAMPLE_H
#define TRAIN_INFER_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

typedef struct tr_sampling {
    double temperature; /* logits are divided by it; 0: always the likeliest, the first of equals */
    size_t top_k;       /* only so many of the likeliest; 0: all */
    double top_p;       /* of those only the likeliest that reach this share together; 1: all */
    uint64_t seed;
} tr_sampling;

typedef struct tr_candidate {
    double p;
    int32_t id;
} tr_candidate;

/* Token number `step` of a text: a function of the arguments alone. scratch is [vocab]. The id, or
 * LM_EDATA where logits are not finite. */
LM_CHECKED int tr_sample(const tr_sampling *how, const float *logits, size_t vocab, uint64_t step,
                         tr_candidate *scratch);

/* log p(id): the log-softmax of finite logits [vocab] at `id`. */
double tr_logprob(const float *logits, size_t vocab, int32_t id);

#endif
