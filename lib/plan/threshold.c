/* Which documents make the fraction: the hash below which they sum to the budget, found in two
 * passes over the index with memory that does not grow with it. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/threads.h"
#include "lib/plan/internal.h"

/* Bins by the top bits of the hash, so many that all strata together take at most this. */
enum { BIN_BYTES = 64 << 20, BIN_BITS_MAX = 16 };

typedef struct bin {
    uint64_t tokens, documents;
} bin;

/* A document of the bin in which the budget runs out. */
typedef struct candidate {
    uint64_t hash, tokens, place; /* place: its number in the store */
} candidate;

typedef struct cut_stratum {
    bin *bins;       /* [1 << bits]; NULL where no fraction is wanted */
    uint64_t rest;   /* tokens still wanted: of all, then of the one bin */
    uint64_t in_bin; /* that bin */
    candidate *candidates;
    size_t found, expected;
} cut_stratum;

typedef struct cutter {
    lm_plan *p;
    lm_store *s;
    const int *domain_of;
    unsigned bits;
    cut_stratum *strata; /* as the plan's */
} cutter;

void lmplan_expect(lm_stratum *s)
{
    s->copies = s->available ? s->tokens / s->available : 0;
    u128 rest = s->tokens - s->copies * s->available;
    s->threshold = s->available ? (uint64_t)((rest << 64) / s->available) : 0;
    s->ties = s->trim = 0;
}

/* Call `visit` for each document whose stratum wants a fraction, in order of arrival. */
static int scan(cutter *c, void (*visit)(cutter *c, cut_stratum *cs, uint64_t hash, uint64_t tokens,
                                         uint64_t place))
{
    const lm_plan *p = c->p;
    uint64_t n = lm_store_documents(c->s);
    lm_entry *e = malloc(LM_ENTRIES_MAX * sizeof *e);
    int rc = LM_OK;
    if (!e) return lm_fail_nomem(LM_ENTRIES_MAX * sizeof *e);
    for (uint64_t at = 0; at < n && !rc; at += LM_ENTRIES_MAX) {
        size_t k = n - at < LM_ENTRIES_MAX ? (size_t)(n - at) : LM_ENTRIES_MAX;
        rc = lm_interrupted() ? lm_fail(LM_EINTR, "interrupted") : lm_store_entries(c->s, at, k, e);
        for (size_t i = 0; i < k && !rc; i++) {
            const lm_stratum *s =
                lm_plan_stratum(p, (size_t)c->domain_of[e[i].domain], e[i].tokens);
            if (!s) continue;
            cut_stratum *cs = &c->strata[s - p->stratum];
            if (cs->bins)
                visit(c, cs, lm_hash4(p->select_seed, e[i].key, s->copies, 0), e[i].tokens, at + i);
        }
    }
    free(e);
    return rc;
}

static void count(cutter *c, cut_stratum *cs, uint64_t hash, uint64_t tokens, uint64_t place)
{
    (void)place;
    bin *b = &cs->bins[hash >> (64 - c->bits)];
    b->tokens += tokens;
    b->documents++;
}

static void collect(cutter *c, cut_stratum *cs, uint64_t hash, uint64_t tokens, uint64_t place)
{
    if (hash >> (64 - c->bits) == cs->in_bin && cs->found < cs->expected)
        cs->candidates[cs->found++] = (candidate){ hash, tokens, place };
}

/* The bin in which the budget runs out. There is one: less than all is wanted. */
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
    return a->place < b->place ? -1 : 1;
}

static void settle(const cut_stratum *cs, lm_stratum *s)
{
    const candidate *c = cs->candidates;
    uint64_t rest = cs->rest;
    size_t i = 0, first;
    qsort(cs->candidates, cs->found, sizeof *c, by_hash);
    while (i < cs->found - 1 && rest >= c[i].tokens) rest -= c[i++].tokens;
    /* Document i is the one that is trimmed; those of its hash before it are its ties. */
    for (first = i; first > 0 && c[first - 1].hash == c[i].hash; first--) {}
    s->threshold = c[i].hash;
    s->ties = i - first;
    s->trim = rest;
}

int lmplan_thresholds(lm_plan *p, lm_store *s, const int *domain_of)
{
    cutter c = { .p = p, .s = s, .domain_of = domain_of, .bits = BIN_BITS_MAX };
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
    while ((n << c.bits) * sizeof *bins > BIN_BYTES) c.bits--;
    bins = calloc(n << c.bits, sizeof *bins);
    if (!bins) {
        rc = lm_fail_nomem((n << c.bits) * sizeof *bins);
        goto out;
    }
    n = 0;
    for (size_t i = 0; i < p->strata; i++)
        if (c.strata[i].rest) c.strata[i].bins = bins + (n++ << c.bits);

    rc = scan(&c, count);
    for (size_t i = 0; i < p->strata && !rc; i++)
        if (c.strata[i].bins) rc = choose_bin(&c.strata[i]);
    if (!rc) rc = scan(&c, collect);
    for (size_t i = 0; i < p->strata && !rc; i++)
        if (c.strata[i].bins) settle(&c.strata[i], &p->stratum[i]);
out:
    for (size_t i = 0; i < p->strata; i++) free(c.strata[i].candidates);
    free(c.strata);
    free(bins);
    return rc;
}
