#include "longmix/recipe.h"

#include <stdlib.h>
#include <string.h>

enum {
    RECIPE_MAX = 1 << 20, /* bytes of a recipe file */
    CUT_MIN = 64,         /* smaller units would be mostly record heads */
    LONG_BITS_MAX = 38,   /* the last bucket of a histogram is open-ended */
};
#define TOKENS_MAX (UINT64_C(1) << 56)
#define WEIGHT_MAX 1e6

static const char *const when_short_names[] = { "error", "repeat", "shrink" };

int lm_when_short_parse(const char *s, enum lm_when_short *out)
{
    for (int i = 0; i < 3; i++)
        if (!strcmp(s, when_short_names[i])) {
            *out = (enum lm_when_short)i;
            return LM_OK;
        }
    return lm_fail(LM_EUSAGE, "\"%s\": not one of error, repeat, shrink", s);
}

const char *lm_when_short_name(enum lm_when_short w) { return when_short_names[w]; }

/* A share or a fraction: 0 to 1. */
static int read_fraction(double *out, const lm_json *o, const char *key)
{
    int rc = lm_json_f64(out, o, key);
    if (rc) return rc;
    if (!(*out >= 0 && *out <= 1)) return lm_json_fail(lm_json_get(o, key), "must be from 0 to 1");
    return LM_OK;
}

static int read_long(lm_recipe *r, const lm_json *o)
{
    static const char *const fields[] = { "threshold",  "share", "only_raise",
                                          "short_keep", "scope", NULL };
    const lm_json *threshold = lm_json_get(o, "threshold");
    const char *scope = NULL;
    int rc = lm_json_only(o, fields);
    if (rc) return rc;

    if (threshold) {
        rc = lm_json_tokens(&r->threshold, o, "threshold");
        if (rc) return rc;
        uint64_t t = r->threshold;
        if (t < 2 || t > UINT64_C(1) << LONG_BITS_MAX || (t & (t - 1)))
            return lm_json_fail(threshold, "must be a power of two from 2 to 2^%d", LONG_BITS_MAX);
    }
    rc = lm_json_str(&scope, o, "scope");
    if (rc) return rc;
    if (!strcmp(scope, "domain")) r->scope = LM_LONG_DOMAIN;
    else if (!strcmp(scope, "global")) r->scope = LM_LONG_GLOBAL;
    else return lm_json_fail(lm_json_get(o, "scope"), "must be \"domain\" or \"global\"");

    bool share = lm_json_get(o, "share"), keep = lm_json_get(o, "short_keep");
    if (share == keep) return lm_json_fail(o, "needs either \"share\" or \"short_keep\"");
    if (lm_json_get(o, "only_raise")) {
        rc = lm_json_bool(&r->only_raise, o, "only_raise");
        if (rc) return rc;
        if (keep) return lm_json_fail(o, "\"only_raise\" goes with \"share\"");
    }
    return share ? read_fraction(&r->long_share, o, "share")
                 : read_fraction(&r->short_keep, o, "short_keep");
}

static int read_weights(lm_recipe *r, const lm_json *w)
{
    const char *key = NULL;
    const lm_json *value = NULL;
    double sum = 0;

    if (lm_json_type(w) == LM_JSON_STRING) {
        const char *s = NULL;
        int rc = lm_json_str(&s, w, NULL);
        if (rc) return rc;
        return strcmp(s, "natural") ? lm_json_fail(w, "must be \"natural\" or a table of domains")
                                    : LM_OK;
    }
    if (lm_json_type(w) != LM_JSON_OBJECT || !lm_json_size(w))
        return lm_json_fail(w, "must be \"natural\" or a table of domains");
    r->natural = false;
    r->weight = calloc(lm_json_size(w), sizeof *r->weight);
    if (!r->weight) return lm_fail_nomem(lm_json_size(w) * sizeof *r->weight);
    for (size_t i = 0; lm_json_member(w, i, &key, &value); i++) {
        lm_weight *e = &r->weight[r->weights++];
        e->domain = key;
        int rc = lm_json_f64(&e->weight, value, NULL);
        if (rc) return rc;
        if (!(e->weight >= 0 && e->weight <= WEIGHT_MAX))
            return lm_json_fail(value, "must be from 0 to %g", WEIGHT_MAX);
        sum += e->weight;
    }
    if (r->only && !(sum > 0)) return lm_json_fail(w, "gives no domain a weight");
    return LM_OK;
}

/* An optional integer of the recipe within min..max. */
static int read_u64(uint64_t *out, const lm_json *o, const char *key, uint64_t min, uint64_t max)
{
    const lm_json *v = lm_json_get(o, key);
    if (!v) return LM_OK;
    int rc = lm_json_tokens(out, v, NULL);
    if (rc) return rc;
    if (*out < min || *out > max)
        return lm_json_fail(v, "must be from %llu to %llu", (unsigned long long)min,
                            (unsigned long long)max);
    return LM_OK;
}

static int read_recipe(lm_recipe *r)
{
    static const char *const fields[] = { "name",       "about",   "tokens", "cut",
                                          "long",       "weights", "only",   "max_copies",
                                          "when_short", "seed",    NULL };
    const lm_json *j = r->json, *v = NULL;
    uint64_t copies = 1;
    const char *s = NULL;
    int rc = lm_json_only(j, fields);
    if (rc) return rc;

    rc = lm_json_str(&r->name, j, "name");
    if (rc) return rc;
    if (!*r->name) return lm_json_fail(lm_json_get(j, "name"), "must not be empty");
    if (lm_json_get(j, "about")) {
        rc = lm_json_str(&s, j, "about");
        if (rc) return rc;
    }
    rc = read_u64(&r->tokens, j, "tokens", 0, TOKENS_MAX);
    if (rc) return rc;
    rc = read_u64(&r->cut, j, "cut", 0, TOKENS_MAX);
    if (rc) return rc;
    if (r->cut && r->cut < CUT_MIN)
        return lm_json_fail(lm_json_get(j, "cut"), "must be 0 (whole documents) or at least %d",
                            CUT_MIN);
    rc = read_u64(&copies, j, "max_copies", 1, 255);
    if (rc) return rc;
    r->max_copies = (unsigned)copies;
    rc = read_u64(&r->seed, j, "seed", 0, UINT64_MAX);
    if (rc) return rc;

    if (lm_json_get(j, "only")) {
        rc = lm_json_bool(&r->only, j, "only");
        if (rc) return rc;
    }
    if ((v = lm_json_get(j, "weights"))) {
        rc = read_weights(r, v);
        if (rc) return rc;
    }
    if (r->only && r->natural) return lm_json_fail(j, "\"only\" needs a table of weights");

    if ((v = lm_json_get(j, "when_short"))) {
        rc = lm_json_str(&s, v, NULL);
        if (rc) return rc;
        if (lm_when_short_parse(s, &r->when_short))
            return lm_json_fail(v, "must be \"error\", \"repeat\" or \"shrink\"");
    }
    if ((v = lm_json_get(j, "long"))) {
        rc = read_long(r, v);
        if (rc) return rc;
        /* Regardless of domain and by domain at once would be two answers to one question. */
        if (r->scope == LM_LONG_GLOBAL && !r->natural)
            return lm_json_fail(v, "scope \"global\" goes with natural weights only");
    }
    return LM_OK;
}

int lm_recipe_from_json(lm_recipe *out, lm_json *json)
{
    *out = (lm_recipe){ .json = json,
                        .threshold = 4096,
                        .long_share = -1,
                        .short_keep = -1,
                        .natural = true,
                        .max_copies = 1 };
    int rc = read_recipe(out);
    if (rc) lm_recipe_free(out);
    return rc;
}

int lm_recipe_load(lm_recipe *out, const char *path)
{
    lm_json *json = NULL;
    *out = (lm_recipe){ 0 };
    int rc = lm_json_load(&json, path, RECIPE_MAX);
    return rc ? rc : lm_recipe_from_json(out, json);
}

void lm_recipe_free(lm_recipe *r)
{
    if (!r) return;
    free(r->weight);
    lm_json_free(r->json);
    *r = (lm_recipe){ 0 };
}
