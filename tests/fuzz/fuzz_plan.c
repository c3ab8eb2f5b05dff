/* Any bytes as a plan, and as a histogram to plan from: refused, or plans whose sums are correct
 * and whose text reads back unchanged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/plan.h"
#include "must.h"

static void check_plan(const lm_plan *p)
{
    uint64_t total = 0, of_strata = 0;
    lm_plan again;
    MUST(p->tokens && p->row && p->shards);
    for (size_t d = 0; d < p->domains; d++) total += p->domain[d].tokens;
    for (size_t i = 0; i < p->strata; i++) {
        const lm_stratum *s = &p->stratum[i];
        of_strata += s->tokens;
        MUST(s->domain < p->domains && s->bucket < LM_BUCKETS);
        MUST(s->copies * s->available <= s->tokens);
        MUST(lm_plan_stratum(p, s->domain, lm_bucket_upto(s->bucket)) == s);
    }
    MUST(total == p->tokens && of_strata == p->tokens);
    MUST(lm_plan_from_json(&again, p->json) == 0);
    MUST(again.strata == p->strata &&
         !memcmp(again.stratum, p->stratum, p->strata * sizeof *p->stratum));
    lm_plan_free(&again);
}

static void plan_from(const lm_json *hist, const char *recipe, uint64_t tokens,
                      enum lm_when_short when_short)
{
    lm_json *j = NULL;
    lm_recipe r;
    lm_plan p;
    lm_plan_options o = {
        .tokens = tokens, .has_when_short = true, .when_short = when_short, .row = 512
    };
    MUST(lm_json_parse(&j, recipe, strlen(recipe), "recipe") == 0);
    MUST(lm_recipe_from_json(&r, j) == 0);
    if (lm_plan_from_hist(&p, &r, &o, hist) == 0) {
        check_plan(&p);
        MUST(!tokens || p.asked == tokens);
        MUST(p.tokens == p.asked || (when_short == LM_SHORT_SHRINK && p.tokens < p.asked));
        lm_plan_free(&p);
    } else {
        MUST(*lm_err());
    }
    lm_recipe_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lm_json *j = NULL;
    lm_plan p;
    if (lm_json_parse(&j, data, size, "fuzz")) return 0;
    if (lm_plan_from_json(&p, j) == 0) {
        check_plan(&p);
        lm_plan_free(&p);
    }
    plan_from(j, "{\"name\": \"n\", \"cut\": 4096}", 0, LM_SHORT_ERROR);
    plan_from(
        j,
        "{\"name\": \"d\", \"max_copies\": 7, \"long\": {\"share\": 0.7, \"scope\": \"domain\"}}",
        12345, LM_SHORT_REPEAT);
    plan_from(j, "{\"name\": \"s\", \"long\": {\"share\": 0.9, \"scope\": \"domain\"}}", 1001,
              LM_SHORT_SHRINK);
    plan_from(j, "{\"name\": \"g\", \"long\": {\"short_keep\": 0.1, \"scope\": \"global\"}}", 0,
              LM_SHORT_SHRINK);
    plan_from(j,
              "{\"name\": \"w\", \"max_copies\": 255, \"weights\": {\"Book\": 1e6, \"C4\": 1e-9}}",
              99999, LM_SHORT_REPEAT);
    lm_json_free(j);
    return 0;
}
