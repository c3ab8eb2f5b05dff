/* make.c -- a plan from a recipe and a source. The arithmetic is in targets.c, the exact thresholds
 * in threshold.c, the JSON in json.c. */
#include "longmix/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/plan/internal.h"

/* ---- the source -------------------------------------------------------------------------- */

static int count_document(void *arg, uint64_t number, const lm_entry *e)
{
    plan_table *t = arg;
    unsigned b = lm_bucket(e->tokens);
    (void)number;
    t->documents[e->domain][b]++;
    t->available[e->domain][b] += e->tokens;
    return LM_OK;
}

/* Put the domains that have documents, in the order of the source, into the plan's table. */
static int table_from_store(plan_table *t, lm_store *s, int *domain_of)
{
    const lm_meta *m = lm_store_meta(s);
    int rc = lm_store_each(s, count_document, t);
    for (size_t d = 0; d < m->domains && !rc; d++) {
        uint64_t documents = 0;
        for (unsigned b = 0; b < LM_BUCKETS; b++) documents += t->documents[d][b];
        domain_of[d] = documents ? (int)t->domains : -1;
        if (!documents) continue;
        t->name[t->domains] = m->domain[d];
        memmove(t->documents[t->domains], t->documents[d], sizeof t->documents[0]);
        memmove(t->available[t->domains], t->available[d], sizeof t->available[0]);
        t->domains++;
    }
    return rc;
}

static int bucket_from_hist(plan_table *t, size_t d, const lm_json *j)
{
    uint64_t upto = 0, documents = 0, tokens = 0;
    int rc = lm_json_u64(&upto, j, "upto");
    if (!rc) rc = lm_json_u64(&documents, j, "documents");
    if (!rc) rc = lm_json_u64(&tokens, j, "tokens");
    if (rc) return rc;
    unsigned b = lm_bucket(upto);
    if (upto != lm_bucket_upto(b) || t->documents[d][b] || t->available[d][b])
        return lm_json_fail(lm_json_get(j, "upto"), "must be a power of two, each at most once");
    if (tokens > PLAN_TOKENS_MAX || documents > PLAN_TOKENS_MAX || (tokens && !documents))
        return lm_json_fail(j, "%" PRIu64 " tokens in %" PRIu64 " documents", tokens, documents);
    t->documents[d][b] = documents;
    t->available[d][b] = tokens;
    return LM_OK;
}

static int table_from_hist(plan_table *t, const lm_json *hist)
{
    const lm_json *domains = NULL, *buckets = NULL;
    const char *unit = NULL;
    uint64_t sum = 0, tokens = 0;
    int rc = lm_json_str(&unit, hist, "unit");
    if (!rc) rc = lm_json_need(&domains, hist, "domains");
    if (!rc) rc = lm_json_u64(&tokens, hist, "tokens");
    if (rc) return rc;
    if (strcmp(unit, "tokens"))
        return lm_json_fail(lm_json_get(hist, "unit"),
                            "counts %s, but a plan needs tokens (run lmhist on a store)", unit);
    if (lm_json_type(domains) != LM_JSON_ARRAY || lm_json_size(domains) > LM_DOMAINS_MAX)
        return lm_json_fail(domains, "must be an array of at most %d domains", LM_DOMAINS_MAX);

    t->domains = lm_json_size(domains);
    for (size_t d = 0; d < t->domains; d++) {
        const lm_json *j = lm_json_at(domains, d);
        rc = lm_json_str(&t->name[d], j, "name");
        if (!rc) rc = lm_json_need(&buckets, j, "buckets");
        if (rc) return rc;
        for (size_t other = 0; other < d; other++)
            if (!strcmp(t->name[other], t->name[d]))
                return lm_json_fail(j, "\"%s\" appears twice", t->name[d]);
        for (size_t i = 0; i < lm_json_size(buckets); i++) {
            rc = bucket_from_hist(t, d, lm_json_at(buckets, i));
            if (rc) return rc;
        }
        for (unsigned b = 0; b < LM_BUCKETS; b++) sum += t->available[d][b];
        if (sum > PLAN_TOKENS_MAX) return lm_json_fail(j, "more tokens than 2^56");
    }
    if (sum != tokens)
        return lm_json_fail(lm_json_get(hist, "tokens"), "the buckets hold %" PRIu64 " tokens",
                            sum);
    return LM_OK;
}

/* ---- the plan ---------------------------------------------------------------------------- */

static uint64_t count_shards(uint64_t tokens, uint64_t row)
{
    uint64_t shards = (tokens >> 27) + 1;               /* about 268 MB of 2-byte tokens each */
    uint64_t min = tokens / row < 8 ? tokens / row : 8; /* so that parts have work */
    if (shards < min) shards = min;
    return shards < PLAN_SHARDS_MAX ? shards : PLAN_SHARDS_MAX;
}

static int options_check(const lm_plan_options *o)
{
    if (o->tokens > PLAN_TOKENS_MAX) return lm_fail(LM_EUSAGE, "more than 2^56 tokens");
    if (o->row > PLAN_ROW_MAX)
        return lm_fail(LM_EUSAGE, "rows have at most %" PRIu64 " tokens", PLAN_ROW_MAX);
    if (o->shards > PLAN_SHARDS_MAX)
        return lm_fail(LM_EUSAGE, "at most %d shards", PLAN_SHARDS_MAX);
    return LM_OK;
}

static int list_strata(lm_plan *p, const plan_table *t)
{
    size_t n = 0;
    for (size_t d = 0; d < t->domains; d++)
        for (unsigned b = 0; b < LM_BUCKETS; b++) n += t->documents[d][b] > 0;
    p->domain = calloc(t->domains + 1, sizeof *p->domain);
    p->stratum = calloc(n + 1, sizeof *p->stratum);
    if (!p->domain || !p->stratum) return lm_fail_nomem(n * sizeof *p->stratum);
    p->domains = t->domains;
    for (size_t d = 0; d < t->domains; d++)
        for (unsigned b = 0; b < LM_BUCKETS; b++)
            if (t->documents[d][b])
                p->stratum[p->strata++] = (lm_stratum){ .domain = (uint16_t)d,
                                                        .bucket = (uint8_t)b,
                                                        .documents = t->documents[d][b],
                                                        .available = t->available[d][b],
                                                        .tokens = t->take[d][b] };
    return LM_OK;
}

/* The domains' tokens and shares, from the strata. */
static void sum_domains(lm_plan *p, const plan_table *t, uint64_t source_tokens)
{
    unsigned long_bucket = plan_long_bucket(p->threshold);
    for (size_t d = 0; d < t->domains; d++) {
        lm_plan_domain *pd = &p->domain[d];
        uint64_t available = 0, long_tokens = 0;
        pd->name = t->name[d];
        for (unsigned b = 0; b < LM_BUCKETS; b++) {
            available += t->available[d][b];
            pd->tokens += t->take[d][b];
            if (b >= long_bucket) long_tokens += t->take[d][b];
        }
        pd->source_share = (double)available / (double)source_tokens;
        pd->target_share = (double)pd->tokens / (double)p->tokens;
        /* Pieces of at most `cut` tokens are never long, however long the document. */
        bool none = p->cut && p->cut <= p->threshold;
        pd->target_long_share = pd->tokens && !none ? (double)long_tokens / (double)pd->tokens : 0;
    }
}

static int make(lm_plan *out, const lm_recipe *r, const lm_plan_options *o, plan_table *t,
                lm_store *s, const int *domain_of)
{
    lm_plan p = { .recipe = r->name,
                  .exact = s != NULL,
                  .tokens = o->tokens ? o->tokens : r->tokens,
                  .cut = r->cut,
                  .threshold = r->threshold,
                  .row = o->row ? o->row : PLAN_ROW_DEFAULT };
    plan_source source = { .seed = o->has_seed ? o->seed : r->seed,
                           .recipe = r->json,
                           .when_short = o->has_when_short ? o->when_short : r->when_short };

    for (size_t d = 0; d < t->domains; d++)
        for (unsigned b = 0; b < LM_BUCKETS; b++) {
            source.documents += t->documents[d][b];
            source.tokens += t->available[d][b];
        }
    int rc = lmplan_targets(t, r, source.when_short, &p.tokens);
    p.asked = o->tokens ? o->tokens : r->tokens ? r->tokens : p.tokens;
    if (!rc) rc = list_strata(&p, t);
    if (rc) goto out;
    sum_domains(&p, t, source.tokens);
    p.shards = o->shards ? o->shards : count_shards(p.tokens, p.row);
    p.select_seed = lm_hash4(source.seed, 1, 0, 0);
    p.order_seed = lm_hash4(source.seed, 2, 0, 0);
    if (s) {
        p.source_hash = lm_store_hash(s);
        source.tokenizer = lm_store_meta(s)->tokenizer;
        source.width = lm_store_meta(s)->width;
        rc = lmplan_thresholds(&p, s, domain_of);
    } else {
        for (size_t i = 0; i < p.strata; i++) lmplan_expect(&p.stratum[i]);
    }
    if (rc) goto out;
    lmplan_write(&p, &source);
    /* Read back what is printed, so that this plan equals the one in the file. */
    rc = lm_plan_from_json(out, p.json);
out:
    lm_plan_free(&p);
    return rc;
}

int lm_plan_from_store(lm_plan *out, const lm_recipe *r, const lm_plan_options *o, lm_store *s)
{
    int domain_of[LM_DOMAINS_MAX];
    plan_table *t = NULL;
    *out = (lm_plan){ 0 };
    int rc = options_check(o);
    if (rc) return rc;
    if (lm_store_meta(s)->plan)
        return lm_fail(LM_EUSAGE, "%s: is a mixture; make plans from its store", lm_store_name(s));
    t = calloc(1, sizeof *t);
    if (!t) return lm_fail_nomem(sizeof *t);
    rc = table_from_store(t, s, domain_of);
    if (!rc) rc = make(out, r, o, t, s, domain_of);
    free(t);
    return rc;
}

int lm_plan_from_hist(lm_plan *out, const lm_recipe *r, const lm_plan_options *o,
                      const lm_json *hist)
{
    plan_table *t = NULL;
    *out = (lm_plan){ 0 };
    int rc = options_check(o);
    if (rc) return rc;
    t = calloc(1, sizeof *t);
    if (!t) return lm_fail_nomem(sizeof *t);
    rc = table_from_hist(t, hist);
    if (!rc) rc = make(out, r, o, t, NULL, NULL);
    free(t);
    return rc;
}
