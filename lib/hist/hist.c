/* hist.c -- exact length histograms. Lengths up to DENSE - 1 are counted in a table; the few longer
 * ones are pairs (length, count), sorted and combined whenever their array is full. */
#include "longmix/hist.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/domain.h"

const unsigned lm_percentiles[LM_PERCENTILES] = { 5, 25, 50, 75, 90, 95, 99 };

enum { DENSE = 65537, SPARSE_MAX = 1 << 28 };

typedef struct sparse {
    uint64_t length, count;
} sparse;

typedef struct counter {
    char *name;
    uint64_t documents, max;
    uint64_t bucket_documents[LM_BUCKETS], bucket_tokens[LM_BUCKETS];
    uint64_t *dense; /* [DENSE], NULL before the first document (`more` is empty then) */
    sparse *more;
    size_t mores, more_cap;
} counter;

struct lm_hist {
    char *unit;
    counter *domain;
    size_t domains;
};

/* ---- one domain ------------------------------------------------------------------------ */

static void counter_clear(counter *c)
{
    free(c->name);
    free(c->dense);
    free(c->more);
    memset(c, 0, sizeof *c);
}

static int by_length(const void *a, const void *b)
{
    uint64_t x = ((const sparse *)a)->length, y = ((const sparse *)b)->length;
    return x < y ? -1 : x > y;
}

/* Sort the long lengths and combine equal ones. */
static void sort_more(counter *c)
{
    if (!c->mores) return;
    qsort(c->more, c->mores, sizeof *c->more, by_length);
    size_t n = 0;
    for (size_t i = 1; i < c->mores; i++) {
        if (c->more[i].length == c->more[n].length) c->more[n].count += c->more[i].count;
        else c->more[++n] = c->more[i];
    }
    c->mores = n + 1;
}

static int count_more(counter *c, uint64_t length, uint64_t count)
{
    if (c->mores == c->more_cap) {
        sort_more(c);
        if (c->mores > c->more_cap / 2 || !c->more_cap) {
            if (c->more_cap == SPARSE_MAX)
                return lm_fail(LM_ENOMEM, "more than %d different lengths over %d", SPARSE_MAX / 2,
                               DENSE - 1);
            sparse *more = lm_grow(c->more, &c->more_cap, sizeof *more, SPARSE_MAX);
            if (!more) return LM_ENOMEM;
            c->more = more;
        }
    }
    c->more[c->mores++] = (sparse){ length, count };
    return LM_OK;
}

static int need_dense(counter *c)
{
    if (!c->dense) c->dense = calloc(DENSE, sizeof *c->dense);
    return c->dense ? LM_OK : lm_fail_nomem(DENSE * sizeof *c->dense);
}

static int counter_add(counter *to, const counter *from)
{
    int rc = from->dense ? need_dense(to) : LM_OK;
    for (size_t i = 0; !rc && i < from->mores; i++)
        rc = count_more(to, from->more[i].length, from->more[i].count);
    if (rc) return rc;
    for (size_t i = 0; from->dense && i < DENSE; i++) to->dense[i] += from->dense[i];
    for (unsigned b = 0; b < LM_BUCKETS; b++) {
        to->bucket_documents[b] += from->bucket_documents[b];
        to->bucket_tokens[b] += from->bucket_tokens[b];
    }
    to->documents += from->documents;
    if (from->max > to->max) to->max = from->max;
    return LM_OK;
}

/* The length at each percentile's rank: one pass, in order of length. */
static void percentiles(counter *c, uint64_t out[LM_PERCENTILES])
{
    memset(out, 0, LM_PERCENTILES * sizeof *out);
    if (!c->documents) return;
    sort_more(c);
    uint64_t seen = 0;
    size_t k = 0;
    for (size_t i = 0; i < DENSE + c->mores && k < LM_PERCENTILES; i++) {
        seen += i < DENSE ? c->dense[i] : c->more[i - DENSE].count;
        for (; k < LM_PERCENTILES; k++) {
            uint64_t p = lm_percentiles[k];
            /* the nearest rank: p/100 of the documents, rounded up, without overflow */
            uint64_t rank = c->documents / 100 * p + (c->documents % 100 * p + 99) / 100;
            if (seen < rank) break;
            out[k] = i < DENSE ? i : c->more[i - DENSE].length;
        }
    }
}

static void counter_row(counter *c, lm_hist_row *out)
{
    memset(out, 0, sizeof *out);
    out->documents = c->documents;
    out->max = c->max;
    memcpy(out->bucket_documents, c->bucket_documents, sizeof out->bucket_documents);
    memcpy(out->bucket_tokens, c->bucket_tokens, sizeof out->bucket_tokens);
    for (unsigned b = 0; b < LM_BUCKETS; b++) {
        out->tokens += c->bucket_tokens[b];
        if (b < LM_LONG_BUCKET) continue;
        out->long_documents += c->bucket_documents[b];
        out->long_tokens += c->bucket_tokens[b];
    }
    percentiles(c, out->percentile);
}

/* ---- all domains ----------------------------------------------------------------------- */

static int add_domain(lm_hist *h, const char *name)
{
    if (h->domains == LM_DOMAINS_MAX)
        return lm_fail(LM_EUSAGE, "more than %d domains, the last one \"%s\"", LM_DOMAINS_MAX,
                       name);
    char *copy = strdup(name);
    if (!copy) return lm_fail_nomem(strlen(name) + 1);
    h->domain[h->domains++].name = copy;
    return LM_OK;
}

int lm_hist_new(lm_hist **out, const char *unit, const char *const *names, size_t n)
{
    lm_hist *h = calloc(1, sizeof *h);
    if (!h) return lm_fail_nomem(sizeof *h);
    h->unit = strdup(unit);
    h->domain = calloc(LM_DOMAINS_MAX, sizeof *h->domain);
    int rc = h->unit && h->domain ? LM_OK : lm_fail_nomem(LM_DOMAINS_MAX * sizeof *h->domain);
    for (size_t i = 0; !rc && i < n; i++) rc = add_domain(h, names[i]);
    if (rc) {
        lm_hist_free(h);
        return rc;
    }
    *out = h;
    return LM_OK;
}

void lm_hist_free(lm_hist *h)
{
    if (!h) return;
    for (size_t i = 0; i < h->domains; i++) counter_clear(&h->domain[i]);
    free(h->domain);
    free(h->unit);
    free(h);
}

int lm_hist_add_more(lm_hist *h, size_t domain, uint64_t length, uint64_t tokens)
{
    if (domain >= h->domains)
        return lm_fail(LM_EDATA, "domain %zu of a histogram of %zu domains", domain, h->domains);
    h->domain[domain].bucket_tokens[lm_bucket(length)] += tokens;
    return LM_OK;
}

int lm_hist_add(lm_hist *h, size_t domain, uint64_t length, uint64_t tokens)
{
    int rc = lm_hist_add_more(h, domain, length, tokens);
    if (rc) return rc;
    counter *c = &h->domain[domain];
    rc = need_dense(c);
    if (!rc && length >= DENSE) rc = count_more(c, length, 1);
    if (rc) return rc;
    if (length < DENSE) c->dense[length]++;
    if (length > c->max) c->max = length;
    c->bucket_documents[lm_bucket(length)]++;
    c->documents++;
    return LM_OK;
}

int lm_hist_merge(lm_hist *h, const lm_hist *from)
{
    if (strcmp(h->unit, from->unit))
        return lm_fail(LM_EUSAGE, "a histogram of %s cannot be added to one of %s", from->unit,
                       h->unit);
    for (size_t i = 0; i < from->domains; i++) {
        size_t k = 0;
        while (k < h->domains && strcmp(h->domain[k].name, from->domain[i].name)) k++;
        int rc = k == h->domains ? add_domain(h, from->domain[i].name) : LM_OK;
        if (!rc) rc = counter_add(&h->domain[k], &from->domain[i]);
        if (rc) return rc;
    }
    return LM_OK;
}

const char *lm_hist_unit(const lm_hist *h) { return h->unit; }

int lm_hist_row_get(lm_hist *h, size_t domain, lm_hist_row *out)
{
    if (domain < h->domains) {
        counter_row(&h->domain[domain], out);
        return LM_OK;
    }
    if (domain != LM_ALL) return lm_fail(LM_EUSAGE, "a histogram has no domain %zu", domain);
    counter all = { 0 };
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < h->domains; i++) rc = counter_add(&all, &h->domain[i]);
    if (!rc) counter_row(&all, out);
    counter_clear(&all);
    return rc;
}

void lm_hist_row_named(lm_hist *h, const char *name, lm_hist_row *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < h->domains; i++)
        if (!strcmp(h->domain[i].name, name)) counter_row(&h->domain[i], out);
}

static bool holds_something(const counter *c)
{
    uint64_t sum = c->documents;
    for (unsigned b = 0; b < LM_BUCKETS; b++) sum |= c->bucket_tokens[b];
    return sum;
}

int lm_hist_names(const char ***out, size_t *count, lm_hist *const *hist, size_t n)
{
    const char **name = NULL;
    size_t names = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < hist[i]->domains; d++) {
            const counter *c = &hist[i]->domain[d];
            size_t k = 0;
            while (k < names && strcmp(name[k], c->name)) k++;
            if (k < names || !holds_something(c)) continue;
            const char **more = realloc(name, (names + 1) * sizeof *more);
            if (!more) {
                free(name);
                return lm_fail_nomem((names + 1) * sizeof *more);
            }
            name = more;
            name[names++] = c->name;
        }
    *out = name;
    *count = names;
    return LM_OK;
}

/* ---- JSON ------------------------------------------------------------------------------ */

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static lm_json *row_json(const char *name, const char *unit, const lm_hist_row *r, uint64_t all)
{
    char key[8];
    lm_json *o = lm_json_object(), *p = lm_json_object(), *buckets = lm_json_array();
    lm_json_set_str(o, "name", name);
    lm_json_set_u64(o, "documents", r->documents);
    lm_json_set_u64(o, unit, r->tokens);
    lm_json_set_f64(o, "share", share(r->tokens, all));
    lm_json_set_f64(o, "long_share", share(r->long_tokens, r->tokens));
    for (size_t i = 0; i < LM_PERCENTILES; i++) {
        snprintf(key, sizeof key, "%u", lm_percentiles[i]);
        lm_json_set_u64(p, key, r->percentile[i]);
    }
    lm_json_set(o, "percentiles", p);
    lm_json_set_u64(o, "max", r->max);
    for (unsigned b = 0; b < LM_BUCKETS; b++) {
        if (!r->bucket_documents[b]) continue;
        lm_json *j = lm_json_object();
        lm_json_set_u64(j, "upto", lm_bucket_upto(b));
        lm_json_set_u64(j, "documents", r->bucket_documents[b]);
        lm_json_set_u64(j, unit, r->bucket_tokens[b]);
        lm_json_set(buckets, NULL, j);
    }
    lm_json_set(o, "buckets", buckets);
    return o;
}

int lm_hist_to_json(lm_hist *h, lm_json **out)
{
    lm_hist_row all, row;
    int rc = lm_hist_row_get(h, LM_ALL, &all);
    if (rc) return rc;
    lm_json *o = lm_json_object(), *domains = lm_json_array();
    lm_json_set_str(o, "format", "longmix histogram 1");
    lm_json_set_str(o, "unit", h->unit);
    lm_json_set_u64(o, h->unit, all.tokens);
    lm_json_set_u64(o, "documents", all.documents);
    lm_json_set_f64(o, "long_share", share(all.long_tokens, all.tokens));
    for (size_t i = 0; !rc && i < h->domains; i++) {
        rc = lm_hist_row_get(h, i, &row);
        if (!rc && (row.documents || row.tokens))
            lm_json_set(domains, NULL, row_json(h->domain[i].name, h->unit, &row, all.tokens));
    }
    lm_json_set(o, "domains", domains);
    if (rc) lm_json_free(o);
    else *out = o;
    return rc;
}
