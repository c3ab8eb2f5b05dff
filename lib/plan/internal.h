/* internal.h -- the steps from a table of the source to a plan. */
#ifndef LM_LIB_PLAN_INTERNAL_H
#define LM_LIB_PLAN_INTERNAL_H

#include "lib/base/rng.h"
#include "longmix/domain.h"
#include "longmix/plan.h"

#define PLAN_FORMAT "longmix plan 1"
#define PLAN_TOKENS_MAX (UINT64_C(1) << 56) /* of a source or a mixture: products fit 128 bits */
enum { PLAN_SHARDS_MAX = 100000, PLAN_ROW_DEFAULT = 131072 };
#define PLAN_ROW_MAX (UINT64_C(1) << 28)

/* The source, and what the mixture takes from it. */
typedef struct plan_table {
    size_t domains;
    const char *name[LM_DOMAINS_MAX]; /* borrowed */
    uint64_t documents[LM_DOMAINS_MAX][LM_BUCKETS];
    uint64_t available[LM_DOMAINS_MAX][LM_BUCKETS]; /* tokens */
    uint64_t take[LM_DOMAINS_MAX][LM_BUCKETS];      /* tokens; lmplan_targets fills it */
} plan_table;

/* Divide `total` into out[n] in proportion to weight[n] by largest remainder; equal remainders go
 * to the lower index. The weights' sum is above 0 and fits 64 bits; total is at most
 * PLAN_TOKENS_MAX. `scratch` holds n. */
typedef struct plan_rest {
    uint64_t rest;
    uint32_t i;
} plan_rest;
void lmplan_divide(uint64_t total, const uint64_t *weight, size_t n, uint64_t *out,
                   plan_rest *scratch);

/* Fill t->take for the recipe, and *tokens with their sum: the requested number, or
 * if that is 0 the largest that fits without repeats. LM_ESHORT names the group that is too small,
 * its tokens, the tokens requested and the largest total that fits. */
LM_CHECKED int lmplan_targets(plan_table *t, const lm_recipe *r, enum lm_when_short when_short,
                              uint64_t *tokens);

/* The first bucket that is long. */
static inline unsigned plan_long_bucket(uint64_t threshold) { return lm_bucket(threshold) + 1; }

/* Set copies, threshold, ties and trim of a stratum in expectation ... */
void lmplan_expect(lm_stratum *s);
/* ... or of all strata of the plan to the token, from the store's index. domain_of[]: the plan's
 * domain for each domain of the store. */
LM_CHECKED int lmplan_thresholds(lm_plan *p, lm_store *s, const int *domain_of);

/* Build p->json from the fields of `p`; lm_json_dump reports lack of memory. */
typedef struct plan_source {
    uint64_t documents, tokens, tokenizer;
    unsigned width; /* bytes per token; 0: unknown */
    uint64_t seed;
    enum lm_when_short when_short;
    const lm_json *recipe;
} plan_source;
void lmplan_write(lm_plan *p, const plan_source *source);

#endif
