/* plan.c -- what every user of a plan needs: its strata, its parts, its memory. */
#include "longmix/plan.h"

#include <stdlib.h>

#include "lib/plan/internal.h"

const lm_stratum *lm_plan_stratum(const lm_plan *p, size_t domain, uint64_t doc_tokens)
{
    unsigned bucket = lm_bucket(doc_tokens);
    size_t low = 0, high = p->strata;
    while (low < high) {
        size_t i = low + (high - low) / 2;
        const lm_stratum *s = &p->stratum[i];
        if (s->domain == domain && s->bucket == bucket) return s;
        if (s->domain < domain || (s->domain == domain && s->bucket < bucket)) low = i + 1;
        else high = i;
    }
    return NULL;
}

void lm_plan_part(const lm_plan *p, uint32_t part, uint32_t parts, uint64_t *first, uint64_t *end)
{
    *first = (uint64_t)((u128)p->shards * (part - 1) / parts);
    *end = (uint64_t)((u128)p->shards * part / parts);
}

void lm_plan_free(lm_plan *p)
{
    if (!p) return;
    free(p->domain);
    free(p->stratum);
    lm_json_free(p->json);
    *p = (lm_plan){ 0 };
}
