/* json.c -- write and read a plan (docs/format-plan.md). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/version.h"
#include "lib/plan/internal.h"

enum {
    PLAN_MAX = 16 << 20, /* bytes of a plan file */
    HEAD_BYTES = 4096,   /* of a shard, before its rows */
    SPAN_BYTES = 64,     /* of lineage for each span of a row */
};

/* ---- writing ----------------------------------------------------------------------------- */

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static lm_json *domains_json(const lm_plan *p, uint64_t source_tokens)
{
    lm_json *list = lm_json_array();
    unsigned long_bucket = plan_long_bucket(p->threshold);
    for (size_t d = 0; d < p->domains; d++) {
        const lm_plan_domain *pd = &p->domain[d];
        uint64_t available = 0, long_tokens = 0;
        for (size_t i = 0; i < p->strata; i++) {
            if (p->stratum[i].domain != d) continue;
            available += p->stratum[i].available;
            if (p->stratum[i].bucket >= long_bucket) long_tokens += p->stratum[i].available;
        }
        lm_json *j = lm_json_object();
        lm_json_set_str(j, "name", pd->name);
        lm_json_set_u64(j, "available", available);
        lm_json_set_f64(j, "source_share", share(available, source_tokens));
        lm_json_set_f64(j, "source_long_share", share(long_tokens, available));
        lm_json_set_u64(j, "tokens", pd->tokens);
        lm_json_set_f64(j, "target_share", pd->target_share);
        lm_json_set_f64(j, "target_long_share", pd->target_long_share);
        lm_json_set(list, NULL, j);
    }
    return list;
}

static lm_json *strata_json(const lm_plan *p)
{
    lm_json *list = lm_json_array();
    for (size_t i = 0; i < p->strata; i++) {
        const lm_stratum *s = &p->stratum[i];
        lm_json *j = lm_json_object();
        lm_json_set_str(j, "domain", p->domain[s->domain].name);
        lm_json_set_u64(j, "bucket", s->bucket);
        lm_json_set_u64(j, "upto", lm_bucket_upto(s->bucket));
        lm_json_set_u64(j, "documents", s->documents);
        lm_json_set_u64(j, "available", s->available);
        lm_json_set_u64(j, "tokens", s->tokens);
        lm_json_set_u64(j, "copies", s->copies);
        lm_json_set_hex64(j, "threshold", s->threshold);
        lm_json_set_u64(j, "ties", s->ties);
        lm_json_set_u64(j, "trim", s->trim);
        lm_json_set(list, NULL, j);
    }
    return list;
}

/* The expected result of packing with `concat`, estimated from the strata. */
static lm_json *expected_json(const lm_plan *p, unsigned width)
{
    uint64_t rows = p->tokens / p->row, units = 0, cut = 0, repeated = 0, repeats = 0;
    for (size_t i = 0; i < p->strata; i++) {
        const lm_stratum *s = &p->stratum[i];
        if (!s->tokens) continue;
        uint64_t used = (uint64_t)((u128)s->tokens * s->documents / s->available);
        units += used + (p->cut ? s->tokens / p->cut : 0);
        /* Whole buckets only: the bucket that contains the cut counts as not cut. */
        if (p->cut && s->bucket && lm_bucket_upto(s->bucket - 1u) >= p->cut) cut += used;
        if (s->tokens > s->available) {
            repeats += s->tokens - s->available;
            repeated += used < 2 * s->documents ? used - s->documents : s->documents;
        }
    }
    lm_json *j = lm_json_object(), *r = lm_json_object();
    lm_json_set_u64(j, "rows", rows);
    lm_json_set_u64(j, "dropped_tail", p->tokens - rows * p->row);
    lm_json_set_u64(j, "documents_cut", cut);
    lm_json_set_u64(r, "documents", repeated);
    lm_json_set_u64(r, "tokens", repeats);
    lm_json_set(j, "repeats", r);
    lm_json_set_u64(j, "bytes",
                    rows * p->row * width + (units + rows) * SPAN_BYTES + p->shards * HEAD_BYTES);
    return j;
}

void lmplan_write(lm_plan *p, const plan_source *source)
{
    lm_json *j = lm_json_object(), *s = lm_json_object();

    lm_json_set_str(s, "kind", p->exact ? "store" : "histogram");
    lm_json_set_u64(s, "documents", source->documents);
    lm_json_set_u64(s, "tokens", source->tokens);
    if (p->exact) {
        lm_json_set_hex64(s, "hash", p->source_hash);
        lm_json_set_hex64(s, "tokenizer", source->tokenizer);
    }
    lm_json_set_str(j, "format", PLAN_FORMAT);
    lm_json_set_str(j, "longmix", LM_VERSION);
    lm_json_set_copy(j, "recipe", source->recipe);
    lm_json_set(j, "source", s);
    lm_json_set_u64(j, "asked", p->asked);
    lm_json_set_u64(j, "tokens", p->tokens);
    lm_json_set_str(j, "when_short", lm_when_short_name(source->when_short));
    lm_json_set_hex64(j, "seed", source->seed);
    lm_json_set_hex64(j, "select_seed", p->select_seed);
    lm_json_set_hex64(j, "order_seed", p->order_seed);
    lm_json_set_u64(j, "cut", p->cut);
    lm_json_set_u64(j, "threshold", p->threshold);
    lm_json_set_u64(j, "row", p->row);
    lm_json_set_u64(j, "shards", p->shards);
    lm_json_set(j, "domains", domains_json(p, source->tokens));
    lm_json_set(j, "expected", expected_json(p, source->width ? source->width : 2));
    lm_json_set(j, "strata", strata_json(p));
    p->json = j;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* A count within min..max. */
static int get(uint64_t *out, const lm_json *o, const char *key, uint64_t min, uint64_t max)
{
    int rc = lm_json_u64(out, o, key);
    if (rc) return rc;
    if (*out < min || *out > max)
        return lm_json_fail(lm_json_get(o, key), "must be from %" PRIu64 " to %" PRIu64, min, max);
    return LM_OK;
}

static int need_array(const lm_json **out, const lm_json *o, const char *key, size_t max)
{
    int rc = lm_json_need(out, o, key);
    if (rc) return rc;
    if (lm_json_type(*out) != LM_JSON_ARRAY || lm_json_size(*out) > max)
        return lm_json_fail(*out, "must be an array of at most %zu", max);
    return LM_OK;
}

static int read_domain(lm_plan *p, size_t d, const lm_json *j)
{
    static const char *const fields[] = {
        "name",   "available",    "source_share",      "source_long_share",
        "tokens", "target_share", "target_long_share", NULL
    };
    lm_plan_domain *pd = &p->domain[d];
    int rc = lm_json_only(j, fields);
    if (!rc) rc = lm_json_str(&pd->name, j, "name");
    if (!rc) rc = lm_json_f64(&pd->source_share, j, "source_share");
    if (!rc) rc = lm_json_f64(&pd->target_share, j, "target_share");
    if (!rc) rc = lm_json_f64(&pd->target_long_share, j, "target_long_share");
    if (!rc) rc = get(&pd->tokens, j, "tokens", 0, PLAN_TOKENS_MAX);
    if (rc) return rc;
    const double v[] = { pd->source_share, pd->target_share, pd->target_long_share };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        if (!(v[i] >= 0 && v[i] <= 1)) return lm_json_fail(j, "a share is not from 0 to 1");
    for (size_t other = 0; other < d; other++)
        if (!strcmp(p->domain[other].name, pd->name))
            return lm_json_fail(j, "\"%s\" appears twice", pd->name);
    return LM_OK;
}

static int read_stratum(lm_plan *p, lm_stratum *s, const lm_json *j)
{
    static const char *const fields[] = { "domain",    "bucket", "upto",   "documents",
                                          "available", "tokens", "copies", "threshold",
                                          "ties",      "trim",   NULL };
    const char *name = NULL;
    uint64_t bucket = 0, upto = 0;
    size_t d = 0;
    int rc = lm_json_only(j, fields);
    if (!rc) rc = lm_json_str(&name, j, "domain");
    if (rc) return rc;
    while (d < p->domains && strcmp(p->domain[d].name, name)) d++;
    if (d == p->domains) return lm_json_fail(lm_json_get(j, "domain"), "is not among the domains");
    rc = get(&bucket, j, "bucket", 0, LM_BUCKETS - 1);
    if (!rc)
        rc = get(&upto, j, "upto", lm_bucket_upto((unsigned)bucket),
                 lm_bucket_upto((unsigned)bucket));
    if (!rc) rc = get(&s->documents, j, "documents", 1, PLAN_TOKENS_MAX);
    if (!rc) rc = get(&s->available, j, "available", 0, PLAN_TOKENS_MAX);
    if (!rc) rc = get(&s->tokens, j, "tokens", 0, PLAN_TOKENS_MAX);
    if (!rc) rc = get(&s->copies, j, "copies", 0, 255);
    if (!rc) rc = lm_json_hex64(&s->threshold, j, "threshold");
    if (!rc) rc = get(&s->ties, j, "ties", 0, s->documents);
    if (!rc) rc = get(&s->trim, j, "trim", 0, lm_bucket_upto((unsigned)bucket));
    if (rc) return rc;
    s->domain = (uint16_t)d;
    s->bucket = (uint8_t)bucket;
    uint64_t copies = s->available ? s->tokens / s->available : 0;
    if (copies != s->copies || (!s->available && s->tokens))
        return lm_json_fail(j, "%" PRIu64 " copies of %" PRIu64 " tokens do not give %" PRIu64,
                            s->copies, s->available, s->tokens);
    if (copies == 255 && s->tokens > 255 * s->available)
        return lm_json_fail(j, "more than 255 copies");
    return LM_OK;
}

/* Strata in order, each once; their tokens sum to those of the domains, those to the plan's. */
static int check_sums(const lm_plan *p)
{
    uint64_t sum[LM_DOMAINS_MAX] = { 0 }, total = 0;
    for (size_t i = 0; i < p->strata; i++) {
        const lm_stratum *s = &p->stratum[i], *before = i ? s - 1 : NULL;
        if (before && (s->domain < before->domain ||
                       (s->domain == before->domain && s->bucket <= before->bucket)))
            return lm_json_fail(lm_json_at(lm_json_get(p->json, "strata"), i), "is out of order");
        sum[s->domain] += s->tokens;
    }
    for (size_t d = 0; d < p->domains; d++) {
        if (sum[d] != p->domain[d].tokens)
            return lm_json_fail(lm_json_at(lm_json_get(p->json, "domains"), d),
                                "its strata sum to %" PRIu64 " tokens, not %" PRIu64, sum[d],
                                p->domain[d].tokens);
        total += sum[d];
    }
    if (total != p->tokens)
        return lm_json_fail(lm_json_get(p->json, "tokens"), "the domains sum to %" PRIu64, total);
    return LM_OK;
}

static int read_source(lm_plan *p, const lm_json *j)
{
    static const char *const fields[] = {
        "kind", "documents", "tokens", "hash", "tokenizer", NULL
    };
    const char *kind = NULL;
    int rc = lm_json_only(j, fields);
    if (!rc) rc = lm_json_str(&kind, j, "kind");
    if (rc) return rc;
    p->exact = !strcmp(kind, "store");
    if (!p->exact && strcmp(kind, "histogram"))
        return lm_json_fail(lm_json_get(j, "kind"), "must be \"store\" or \"histogram\"");
    return p->exact ? lm_json_hex64(&p->source_hash, j, "hash") : LM_OK;
}

static int read_recipe(lm_plan *p, const lm_json *j)
{
    lm_recipe r = { 0 };
    lm_json *copy = lm_json_object();
    lm_json_set_all(copy, j);
    int rc = lm_recipe_from_json(&r, copy);
    if (!rc && (r.cut != p->cut || r.threshold != p->threshold))
        rc = lm_json_fail(j, "\"cut\" or \"threshold\" differs from the plan's");
    lm_recipe_free(&r);
    return rc ? rc : lm_json_str(&p->recipe, j, "name");
}

static int read_plan(lm_plan *p)
{
    static const char *const fields[] = { "format",      "longmix",    "recipe",     "source",
                                          "asked",       "tokens",     "when_short", "seed",
                                          "select_seed", "order_seed", "cut",        "threshold",
                                          "row",         "shards",     "domains",    "expected",
                                          "strata",      NULL };
    const lm_json *j = p->json, *recipe = NULL, *source = NULL, *domains = NULL, *strata = NULL;
    const char *format = NULL;
    int rc = lm_json_str(&format, j, "format");
    if (rc) return rc;
    if (strcmp(format, PLAN_FORMAT))
        return lm_json_fail(lm_json_get(j, "format"), "\"%s\" is not \"" PLAN_FORMAT "\"", format);
    rc = lm_json_only(j, fields);
    if (!rc) rc = get(&p->tokens, j, "tokens", 1, PLAN_TOKENS_MAX);
    if (!rc) rc = get(&p->asked, j, "asked", p->tokens, PLAN_TOKENS_MAX);
    if (!rc) rc = lm_json_hex64(&p->select_seed, j, "select_seed");
    if (!rc) rc = lm_json_hex64(&p->order_seed, j, "order_seed");
    if (!rc) rc = get(&p->cut, j, "cut", 0, PLAN_TOKENS_MAX);
    if (!rc) rc = get(&p->threshold, j, "threshold", 2, PLAN_TOKENS_MAX);
    if (!rc) rc = get(&p->row, j, "row", 1, PLAN_ROW_MAX);
    if (!rc) rc = get(&p->shards, j, "shards", 1, PLAN_SHARDS_MAX);
    if (!rc) rc = lm_json_need(&recipe, j, "recipe");
    if (!rc) rc = read_recipe(p, recipe);
    if (!rc) rc = lm_json_need(&source, j, "source");
    if (!rc) rc = read_source(p, source);
    if (!rc) rc = need_array(&domains, j, "domains", LM_DOMAINS_MAX);
    if (!rc) rc = need_array(&strata, j, "strata", LM_DOMAINS_MAX * LM_BUCKETS);
    if (rc) return rc;

    p->domain = calloc(lm_json_size(domains) + 1, sizeof *p->domain);
    p->stratum = calloc(lm_json_size(strata) + 1, sizeof *p->stratum);
    if (!p->domain || !p->stratum) return lm_fail_nomem(lm_json_size(strata) * sizeof *p->stratum);
    for (; p->domains < lm_json_size(domains) && !rc; p->domains++)
        rc = read_domain(p, p->domains, lm_json_at(domains, p->domains));
    for (; p->strata < lm_json_size(strata) && !rc; p->strata++)
        rc = read_stratum(p, &p->stratum[p->strata], lm_json_at(strata, p->strata));
    return rc ? rc : check_sums(p);
}

static int take(lm_plan *out, lm_json *json)
{
    *out = (lm_plan){ .json = json };
    int rc = read_plan(out);
    if (rc) lm_plan_free(out);
    return rc;
}

int lm_plan_load(lm_plan *out, const char *path)
{
    lm_json *json = NULL;
    *out = (lm_plan){ 0 };
    int rc = lm_json_load(&json, path, PLAN_MAX);
    return rc ? rc : take(out, json);
}

int lm_plan_from_json(lm_plan *out, const lm_json *json)
{
    lm_buf text = LM_BUF_INIT(PLAN_MAX);
    lm_json *copy = NULL;
    *out = (lm_plan){ 0 };
    int rc = lm_json_dump(json, 0, &text);
    if (!rc) rc = lm_json_parse(&copy, text.data, text.size, "plan");
    lm_buf_free(&text);
    return rc ? rc : take(out, copy);
}
