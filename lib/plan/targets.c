/* targets.c -- how many tokens each stratum contributes: integers with an exact sum. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/plan/internal.h"

#define UNIT UINT64_C(1000000000) /* weights and shares are counted in billionths */

enum { CELLS = LM_DOMAINS_MAX * LM_BUCKETS };

typedef struct work {
    plan_table *t;
    const lm_recipe *r;
    uint64_t capacity; /* maximum copies per document */
    bool shrink;
    unsigned long_bucket;
    uint64_t total, domain_total[LM_DOMAINS_MAX];
    uint64_t domain_weight[LM_DOMAINS_MAX];
    uint64_t share, keep; /* billionths */
    /* The first group that is too small. */
    size_t short_domain; /* LM_ALL: the whole source */
    bool short_long;     /* its long documents are too few */
    uint64_t have, want;
    plan_rest scratch[CELLS];
    uint64_t weight[CELLS], out[CELLS];
} work;

static int by_rest(const void *pa, const void *pb)
{
    const plan_rest *a = pa, *b = pb;
    if (a->rest != b->rest) return a->rest > b->rest ? -1 : 1;
    return a->i < b->i ? -1 : 1;
}

void lmplan_divide(uint64_t total, const uint64_t *weight, size_t n, uint64_t *out,
                   plan_rest *scratch)
{
    uint64_t sum = 0, left = total;
    for (size_t i = 0; i < n; i++) sum += weight[i];
    for (size_t i = 0; i < n; i++) {
        u128 v = (u128)total * weight[i];
        out[i] = (uint64_t)(v / sum);
        scratch[i] = (plan_rest){ (uint64_t)(v % sum), (uint32_t)i };
        left -= out[i];
    }
    if (!left) return;
    qsort(scratch, n, sizeof *scratch, by_rest);
    for (size_t i = 0; i < left; i++) out[scratch[i].i]++;
}

/* Scale wide weights down until their sum fits 64 bits. */
static void narrow(const u128 *wide, size_t n, uint64_t *weight)
{
    u128 sum = 0;
    unsigned shift = 0;
    for (size_t i = 0; i < n; i++) sum += wide[i];
    while (sum >> shift >> 64) shift++;
    for (size_t i = 0; i < n; i++) weight[i] = (uint64_t)(wide[i] >> shift);
}

static uint64_t billionths(double v) { return (uint64_t)(v * (double)UNIT + 0.5); }

/* The weight of each domain: its tokens, or the recipe's weight. */
static int weigh_domains(work *w)
{
    const plan_table *t = w->t;
    const lm_recipe *r = w->r;
    u128 wide[LM_DOMAINS_MAX], sum = 0;

    for (size_t d = 0; d < t->domains; d++) wide[d] = r->only ? 0 : (u128)w->domain_total[d] * UNIT;
    if (r->natural) {
        memcpy(w->domain_weight, w->domain_total, sizeof w->domain_weight);
        return LM_OK;
    }
    for (size_t i = 0; i < r->weights; i++) {
        const lm_weight *e = &r->weight[i];
        size_t d = 0;
        while (d < t->domains && strcmp(t->name[d], e->domain)) d++;
        if (e->weight > 0 && (d == t->domains || !w->domain_total[d]))
            return lm_fail(LM_ESHORT,
                           "%s: %s has a weight of %g, but the source has no tokens of it", r->name,
                           e->domain, e->weight);
        if (d < t->domains) wide[d] = (u128)w->total * billionths(e->weight);
    }
    for (size_t d = 0; d < t->domains; d++) sum += wide[d];
    if (!sum) return lm_fail(LM_ESHORT, "%s: no domain of the source has a weight", r->name);
    narrow(wide, t->domains, w->domain_weight);
    return LM_OK;
}

static int too_short(work *w, size_t domain, bool only_long, uint64_t have, uint64_t want)
{
    w->short_domain = domain;
    w->short_long = only_long;
    w->have = have;
    w->want = want;
    return LM_ESHORT;
}

/* Spread `want` over the strata of domains first .. last-1 and buckets from .. to-1. */
static void spread(work *w, size_t first, size_t last, unsigned from, unsigned to, uint64_t want)
{
    plan_table *t = w->t;
    size_t n = 0;
    if (!want) return;
    for (size_t d = first; d < last; d++)
        for (unsigned b = from; b < to; b++) w->weight[n++] = t->available[d][b];
    lmplan_divide(want, w->weight, n, w->out, w->scratch);
    n = 0;
    for (size_t d = first; d < last; d++)
        for (unsigned b = from; b < to; b++) t->take[d][b] = w->out[n++];
}

/* The weights of a group's short [0] and long [1] documents. `lower`: the natural share of long
 * documents exceeds the recipe's. */
static void weigh_classes(const work *w, const uint64_t have[2], bool lower, uint64_t weight[2])
{
    uint64_t keep = UNIT;
    if (w->r->long_share >= 0 && !(lower && w->r->only_raise)) {
        weight[0] = UNIT - w->share;
        weight[1] = w->share;
        return;
    }
    if (w->r->short_keep >= 0) keep = w->keep;
    narrow((u128[2]){ (u128)have[0] * keep, (u128)have[1] * UNIT }, 2, weight);
}

static void move_excess(uint64_t want[2], int from, uint64_t max)
{
    if (want[from] <= max) return;
    want[!from] += want[from] - max;
    want[from] = max;
}

/* Divide `total` tokens among the strata of a group, domains first .. last-1, by the recipe's share
 * of long documents. LM_ESHORT, without a message, if they are too few. */
static int fill_group(work *w, size_t first, size_t last, uint64_t total)
{
    size_t name = last - first == 1 ? first : LM_ALL;
    uint64_t have[2] = { 0, 0 }, want[2], weight[2];

    if (!total) return LM_OK;
    for (size_t d = first; d < last; d++)
        for (unsigned b = 0; b < LM_BUCKETS; b++)
            have[b >= w->long_bucket] += w->t->available[d][b];
    uint64_t max[2] = { have[0] * w->capacity, have[1] * w->capacity };
    if (total > max[0] + max[1]) return too_short(w, name, false, max[0] + max[1], total);
    if (w->r->scope == LM_LONG_NONE) {
        spread(w, first, last, 0, LM_BUCKETS, total);
        return LM_OK;
    }

    bool lower =
        w->r->long_share >= 0 && (u128)have[1] * UNIT >= ((u128)have[0] + have[1]) * w->share;
    weigh_classes(w, have, lower, weight);
    if (!weight[0] && !weight[1]) return too_short(w, name, true, 0, total);
    lmplan_divide(total, weight, 2, want, w->scratch);
    if (lower) {
        /* A share is lowered only as far as short documents suffice without repeats. */
        move_excess(want, 0, have[0]);
    } else if (want[1] > max[1] && !w->shrink) {
        return too_short(w, name, true, max[1], want[1]);
    }
    move_excess(want, 1, max[1]); /* fits, because the whole group does */
    spread(w, first, last, 0, w->long_bucket, want[0]);
    spread(w, first, last, w->long_bucket, LM_BUCKETS, want[1]);
    return LM_OK;
}

static int fill(work *w, uint64_t tokens)
{
    plan_table *t = w->t;
    uint64_t target[LM_DOMAINS_MAX];
    memset(t->take, 0, sizeof t->take);
    if (w->r->scope == LM_LONG_GLOBAL) return fill_group(w, 0, t->domains, tokens);
    lmplan_divide(tokens, w->domain_weight, t->domains, target, w->scratch);
    for (size_t d = 0; d < t->domains; d++) {
        int rc = fill_group(w, d, d + 1, target[d]);
        if (rc) return rc;
    }
    return LM_OK;
}

/* The largest total that fits. */
static uint64_t largest(work *w)
{
    uint64_t fits = 0, fails = w->total * w->capacity;
    if (fails > PLAN_TOKENS_MAX) fails = PLAN_TOKENS_MAX;
    fails++;
    while (fails - fits > 1) {
        uint64_t middle = fits + (fails - fits) / 2;
        if (fill(w, middle)) fails = middle;
        else fits = middle;
    }
    return fits;
}

static const char *group_name(const work *w)
{
    return w->short_domain == LM_ALL ? "the source" : w->t->name[w->short_domain];
}

static int report_short(work *w, uint64_t tokens, enum lm_when_short when_short)
{
    const lm_recipe *r = w->r;
    const char *who = group_name(w),
               *hint = when_short == LM_SHORT_ERROR ? " (or see --when-short)" : "";
    uint64_t have = w->have, want = w->want, fits;
    char documents[64] = "", times[48] = "";

    if (w->short_long)
        snprintf(documents, sizeof documents, " in documents over %" PRIu64, r->threshold);
    if (w->capacity > 1) snprintf(times, sizeof times, ", %" PRIu64 " copies counted", w->capacity);
    fits = largest(w);
    /* The group that runs out first need not be the one found first. */
    bool more = fill(w, fits + 1);
    return lm_fail(LM_ESHORT,
                   "%s: %s has %" PRIu64 " tokens%s%s, but a mixture of %" PRIu64 " takes %" PRIu64
                   "; the largest --tokens that fits is %" PRIu64 ", where %s runs out%s",
                   r->name, who, have, documents, times, tokens, want, fits,
                   more ? group_name(w) : who, hint);
}

int lmplan_targets(plan_table *t, const lm_recipe *r, enum lm_when_short when_short,
                   uint64_t *tokens)
{
    work *w = calloc(1, sizeof *w);
    int rc;
    if (!w) return lm_fail_nomem(sizeof *w);
    w->t = t;
    w->r = r;
    w->capacity = when_short == LM_SHORT_REPEAT && *tokens ? r->max_copies : 1;
    w->shrink = when_short == LM_SHORT_SHRINK;
    w->long_bucket = plan_long_bucket(r->threshold);
    if (r->long_share >= 0) w->share = billionths(r->long_share);
    if (r->short_keep >= 0) w->keep = billionths(r->short_keep);
    for (size_t d = 0; d < t->domains; d++) {
        for (unsigned b = 0; b < LM_BUCKETS; b++) w->domain_total[d] += t->available[d][b];
        w->total += w->domain_total[d];
    }
    if (!w->total) {
        rc = lm_fail(LM_ESHORT, "%s: the source has no tokens", r->name);
        goto out;
    }
    rc = weigh_domains(w);
    if (rc) goto out;
    if (!*tokens) *tokens = largest(w);
    rc = *tokens ? fill(w, *tokens) : fill(w, 1); /* nothing fits: find what is missing */
    if (rc && w->shrink) {
        uint64_t fits = largest(w);
        if (fits) rc = fill(w, *tokens = fits);
    }
    if (rc) rc = report_short(w, *tokens ? *tokens : 1, when_short);
out:
    free(w);
    return rc;
}
