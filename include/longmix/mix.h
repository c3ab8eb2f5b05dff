/* mix.h -- the mixture of a plan as a token stream (store.h): selected, cut, ordered. */
#ifndef LONGMIX_MIX_H
#define LONGMIX_MIX_H

#include <stdint.h>

#include "longmix/err.h"
#include "longmix/plan.h"
#include "longmix/progress.h"
#include "longmix/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lm_mix_options {
    uint32_t part, parts; /* 1 of 1 for all of it */
    int threads;
    uint64_t window;       /* units (48 bytes each) in memory; 0: 2 million. Same output */
    lm_progress *progress; /* may be NULL */
} lm_mix_options;

/* Write the mixture, or one part of it, shuffled, to `path` ("-": standard output). Units are
 * ordered by lm_hash4(order seed, key, copy, piece), ties by position in the store. A part ends
 * with the overlap (LM_DOC_OVERLAP) that fills its last row. LM_EUSAGE if the plan was made from
 * another store. Memory: docs/determinism.md. */
LM_CHECKED int lm_mix_store(const lm_plan *p, lm_store *s, const lm_mix_options *o,
                            const char *path);

/* The same selection from a stream, in order of arrival. Parts are LM_EUSAGE. */
LM_CHECKED int lm_mix_stream(const lm_plan *p, lm_stream *in, const lm_mix_options *o,
                             const char *path);

#ifdef __cplusplus
}
#endif
#endif
