/* threshold.c -- the documents of a fractional copy: the hash below which their tokens sum to the
 * budget, in two passes over the index with memory that does not depend on its size. */
#include <stdlib.h>
#include <string.h>

#include "lib/plan/internal.h"

/* Bins by the top bits of the hash; all strata together use at most this much memory. */
enum { BIN_BYTES = 64 << 20, BIN_BITS_MAX = 16 };

typedef struct bin {
    uint64_t tokens, documents;
} bin;

/* A document of the bin in which the budget runs out. */
typedef struct candidate {
    uint64_t hash, tokens, number; /* number: in the store */
} candidate;

typedef struct cut_stratum {
    bin *bins;       /* [1 << bits]; NULL without a fractional copy */
    uint64_t rest;   /* tokens still needed: overall, then in the one bin */
    uint64_t in_bin; /* the bin in which the budget runs out */
    candidate *candidates;
    size_t found, expected;
} cut_stratum;

typedef struct cutter {
    lm_plan *p;
    const int *domain_of;
    unsigned bits;
    cut_stratum *strata; /* [p->strata] */
} cutter;

void lmplan_expect(lm_stratum *s)
{
    s->copies = s->available ? s->tokens / s->available : 0;
    u128 rest = s->tokens - s->copies * s->available;
    s->threshold = s->available ? (uint64_t)((rest << 64) / s->available) : 0;
    s->ties = s->trim = 0;
}

/* A document's stratum and hash; NULL without a fractional copy. */
static cut_stratum *find(const cutter *c, const lm_entry *e, uint64_t *hash)
{
    const lm_plan *p = c->p;
    const lm_stratum *s = lm_plan_stratum(p, (size_t)c->domain_of[e->domain], e->tokens);
    cut_stratum *cs = s ? &c->strata[s - p->stratum] : NULL;
    if (!cs || !cs->bins) return NULL;
    *hash = lm_hash4(p->select_seed, e->key, s->copies, 0);
    return cs;
}

static int count(void *arg, uint64_t number, const lm_entry *e)
{
    const cutter *c = arg;
    uint64_t hash;
    cut_stratum *cs = find(c, e, &hash);
    (void)number;
    if (!cs) return LM_OK;
    bin *b = &cs->bins[hash >> (64 - c->bits)];
    b->tokens += e->tokens;
    b->documents++;
    return LM_OK;
}

static int collect(void *arg, uint64_t number, const lm_entry *e)
{
    const cutter *c = arg;
    uint64_t hash;
    cut_stratum *cs = find(c, e, &hash);
    if (cs && hash >> (64 - c->bits) == cs->in_bin && cs->found < cs->expected)
        cs->candidates[cs->found++] = (candidate){ hash, e->tokens, number };
    return LM_OK;
}

/* Find the bin in which the budget runs out. It exists: less than everything is needed. */
static int choose_bin(cut_stratum *cs)
{
    uint64_t b = 0;
    while (cs->rest >= cs->bins[b].tokens) cs->rest -= cs->bins[b++].tokens;
    cs->in_bin = b;
    cs->expected = cs->bins[b].documents;
    cs->candidates = malloc(cs->expected * sizeof *cs->candidates);
    return cs->candidates ? LM_OK : lm_fail_nomem(cs->expected * sizeof *cs->candidates);
}

static int by_hash(const void *pa, const void *pb)
{
    const candidate *a = pa, *b = pb;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

static void finalize(const cut_stratum *cs, lm_stratum *s)
{
    const candidate *c = cs->candidates;
    uint64_t rest = cs->rest;
    size_t i = 0, first;
    qsort(cs->candidates, cs->found, sizeof *c, by_hash);
    while (i < cs->found - 1 && rest >= c[i].tokens) rest -= c[i++].tokens;
    /* Document i is trimmed; those with its hash before it are the ties. */
    for (first = i; first > 0 && c[first - 1].hash == c[i].hash; first--) {}
    s->threshold = c[i].hash;
    s->ties = i - first;
    s->trim = rest;
}

int lmplan_thresholds(lm_plan *p, lm_store *s, const int *domain_of)
{
    cutter c = { .p = p, .domain_of = domain_of, .bits = BIN_BITS_MAX };
    size_t n = 0;
    bin *bins = NULL;
    int rc = LM_OK;

    c.strata = calloc(p->strata + 1, sizeof *c.strata);
    if (!c.strata) return lm_fail_nomem(p->strata * sizeof *c.strata);
    for (size_t i = 0; i < p->strata; i++) {
        lm_stratum *t = &p->stratum[i];
        lmplan_expect(t);
        t->threshold = 0;
        c.strata[i].rest = t->tokens - t->copies * t->available;
        n += c.strata[i].rest > 0;
    }
    if (!n) goto out;
    while (c.bits > 1 &&
           ((n << c.bits) * sizeof *bins > BIN_BYTES || n << c.bits > lm_store_documents(s)))
        c.bits--; /* no more than useful */
    bins = calloc(n << c.bits, sizeof *bins);
    if (!bins) {
        rc = lm_fail_nomem((n << c.bits) * sizeof *bins);
        goto out;
    }
    n = 0;
    for (size_t i = 0; i < p->strata; i++)
        if (c.strata[i].rest) c.strata[i].bins = bins + (n++ << c.bits);

    rc = lm_store_each(s, count, &c);
    for (size_t i = 0; i < p->strata && !rc; i++)
        if (c.strata[i].bins) rc = choose_bin(&c.strata[i]);
    if (!rc) rc = lm_store_each(s, collect, &c);
    for (size_t i = 0; i < p->strata && !rc; i++)
        if (c.strata[i].bins) finalize(&c.strata[i], &p->stratum[i]);
out:
    for (size_t i = 0; i < p->strata; i++) free(c.strata[i].candidates);
    free(c.strata);
    free(bins);
    return rc;
}
