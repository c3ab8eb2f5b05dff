/* plan.h -- a plan, from a recipe and a histogram or an index: one readable page of JSON from which
 * every worker computes its share without communication. Normative: docs/determinism.md.
 *
 * A stratum is a domain and a length bucket (hist.h). Each of its documents is used `copies`
 * times whole, and once more those whose lm_hash4(select seed, key, copies, 0) is below
 * `threshold`; of those equal to the threshold, in order of arrival, the first `ties` whole and
 * the next one only its first `trim` tokens. A plan made from a store meets the budget to the
 * token; one made from a histogram has ties and trim 0 and meets it in expectation. */
#ifndef LONGMIX_PLAN_H
#define LONGMIX_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"
#include "longmix/hist.h"
#include "longmix/json.h"
#include "longmix/recipe.h"
#include "longmix/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lm_stratum {
    uint16_t domain; /* index into the plan's domains */
    uint8_t bucket;
    uint64_t documents, available; /* in the source: documents, tokens */
    uint64_t tokens;               /* in the mixture, repeats included */
    uint64_t copies;               /* whole repeats of every document */
    uint64_t threshold;            /* see above; 0: no further copy */
    uint64_t ties, trim;
} lm_stratum;

typedef struct lm_plan_domain {
    const char *name; /* borrowed */
    double source_share, target_share;
    double target_long_share; /* of the domain's tokens, those over the threshold */
    uint64_t tokens;
} lm_plan_domain;

typedef struct lm_plan {
    lm_json *json;        /* the plan as it is printed, stored and compared */
    const char *recipe;   /* its recipe's name */
    bool exact;           /* made from a store's index */
    uint64_t source_hash; /* lm_store_hash of that store, 0 without */
    uint64_t asked;       /* requested tokens; more than `tokens` if the mixture shrank */
    uint64_t tokens;      /* of the mixture */
    uint64_t cut;         /* as in the recipe */
    uint64_t threshold;   /* of "long" (4096 where the recipe has none) */
    uint64_t select_seed, order_seed;
    uint64_t row;    /* tokens per row, as planned */
    uint64_t shards; /* ranges into which the mixture's order is divided */
    size_t domains, strata;
    lm_plan_domain *domain; /* [domains], owned */
    lm_stratum *stratum;    /* [strata], owned, by domain, then bucket */
} lm_plan;

typedef struct lm_plan_options {
    uint64_t tokens; /* 0: the recipe's */
    bool has_seed;
    uint64_t seed; /* replaces the recipe's */
    bool has_when_short;
    enum lm_when_short when_short;
    uint64_t row;    /* 0: 131,072 */
    uint64_t shards; /* 0: chosen by size */
} lm_plan_options;

/* Plan from a store (exact), or from the JSON of `lmhist --json` (in expectation). LM_ESHORT
 * names the stratum or domain that is too small, its tokens and the tokens requested. */
LM_CHECKED int lm_plan_from_store(lm_plan *out, const lm_recipe *r, const lm_plan_options *o,
                                  lm_store *s);
LM_CHECKED int lm_plan_from_hist(lm_plan *out, const lm_recipe *r, const lm_plan_options *o,
                                 const lm_json *hist);

/* Read a plan; every field is checked. 0, LM_EIO or LM_EDATA. */
LM_CHECKED int lm_plan_load(lm_plan *out, const char *path);
/* The same from JSON, which is copied. */
LM_CHECKED int lm_plan_from_json(lm_plan *out, const lm_json *json);
void lm_plan_free(lm_plan *p);

/* The stratum of a document, NULL if the plan has none. Domains by the plan's index. */
const lm_stratum *lm_plan_stratum(const lm_plan *p, size_t domain, uint64_t doc_tokens);

/* The shards *first .. *end-1 that part `part` of `parts` writes, 1 <= part <= parts. Parts differ
 * by at most one shard; one is empty where there are more parts than shards. lmmix and lmpack on
 * both ends of a pipe agree by this function. */
void lm_plan_part(const lm_plan *p, uint32_t part, uint32_t parts, uint64_t *first, uint64_t *end);

#ifdef __cplusplus
}
#endif
#endif
