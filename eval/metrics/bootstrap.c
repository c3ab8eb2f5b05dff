#include "eval/metrics/bootstrap.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"

enum { COLUMNS_MAX = 4096 };
#define DOCUMENTS_MAX ((size_t)1 << 28)

/* ---- columns and domains --------------------------------------------------------------- */

static int add_name(char ***list, size_t *n, const char *name)
{
    char **more = realloc(*list, (*n + 2) * sizeof *more);
    if (more) *list = more;
    if (!more || !(more[*n] = strdup(name))) return lm_fail_nomem(strlen(name));
    more[++*n] = NULL;
    return LM_OK;
}

static int add_columns(eval_sums *s, const lm_json *line)
{
    const lm_json *edges = NULL, *at = NULL;
    uint64_t from = 0, to = 0;
    char name[64];
    int rc = lm_json_need(&edges, line, "ranges");
    if (!rc) rc = lm_json_need(&at, line, "at");
    if (!rc && lm_json_size(edges) + lm_json_size(at) > COLUMNS_MAX)
        rc = lm_json_fail(edges, "more than %d ranges", (int)COLUMNS_MAX);
    for (size_t i = 0; !rc && i < lm_json_size(edges); i++, from = to) {
        rc = lm_json_u64(&to, lm_json_at(edges, i), NULL);
        snprintf(name, sizeof name, "%" PRIu64 "-%" PRIu64, from, to);
        if (!rc) rc = add_name(&s->column, &s->columns, name);
    }
    s->ranges = s->columns;
    for (size_t i = 0; !rc && i < lm_json_size(at); i++) {
        rc = lm_json_u64(&to, lm_json_at(at, i), NULL);
        snprintf(name, sizeof name, "%" PRIu64, to);
        if (!rc) rc = add_name(&s->column, &s->columns, name);
    }
    return rc;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool find_domain(const eval_sums *s, const char *name, size_t *at)
{
    char **p =
        s->domains ? bsearch(&name, s->domain, s->domains, sizeof *s->domain, by_text) : NULL;
    if (p) *at = (size_t)(p - s->domain);
    return p != NULL;
}

/* ---- lines ----------------------------------------------------------------------------- */

/* Call fn for each part of each document or row. */
static int each_part(eval_sums *s, const eval_results *r,
                     int (*fn)(eval_sums *s, const lm_json *part))
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < eval_results_count(r); i++) {
        const lm_json *parts = lm_json_get(eval_results_at(r, i), "parts");
        for (size_t k = 0; !rc && k < lm_json_size(parts); k++) rc = fn(s, lm_json_at(parts, k));
    }
    return rc;
}

static int note_domain(eval_sums *s, const lm_json *part)
{
    const char *name;
    size_t at;
    int rc = lm_json_str(&name, part, "domain");
    s->n++;
    if (rc || find_domain(s, name, &at)) return rc;
    rc = add_name(&s->domain, &s->domains, name);
    if (!rc) qsort(s->domain, s->domains, sizeof *s->domain, by_text);
    return rc;
}

static int read_numbers(const lm_json *part, const char *sums, const char *counts, size_t n,
                        double *sum, uint64_t *count)
{
    const lm_json *a = NULL, *b = NULL;
    int rc = lm_json_need(&a, part, sums);
    if (!rc) rc = lm_json_need(&b, part, counts);
    if (!rc && (lm_json_size(a) != n || lm_json_size(b) != n))
        rc = lm_json_fail(a, "expected %zu numbers", n);
    for (size_t i = 0; !rc && i < n; i++) {
        rc = lm_json_f64(&sum[i], lm_json_at(a, i), NULL);
        if (!rc) rc = lm_json_u64(&count[i], lm_json_at(b, i), NULL);
    }
    return rc;
}

static int read_part(eval_sums *s, const lm_json *part)
{
    const char *name;
    eval_doc_sums *doc = &s->doc[s->n];
    double *sum = s->sum + s->n * s->columns;
    uint64_t *count = s->count + s->n * s->columns;
    size_t at = s->columns - s->ranges;
    int rc = lm_json_str(&name, part, "domain");
    if (!rc) rc = lm_json_hex64(&doc->key, part, "key");
    if (!rc) rc = read_numbers(part, "sums", "tokens", s->ranges, sum, count);
    if (!rc)
        rc = read_numbers(part, "at_sums", "at_tokens", at, sum + s->ranges, count + s->ranges);
    if (rc) return rc;
    find_domain(s, name, &doc->domain);
    s->n++;
    return LM_OK;
}

/* ---- sorting and joining --------------------------------------------------------------- */

static int compare_docs(const eval_doc_sums *a, const eval_doc_sums *b)
{
    if (a->domain != b->domain) return a->domain < b->domain ? -1 : 1;
    return a->key < b->key ? -1 : a->key > b->key;
}

typedef struct sort_entry {
    eval_doc_sums doc;
    size_t from;
} sort_entry;

static int by_doc(const void *a, const void *b)
{
    const sort_entry *x = a, *y = b;
    int c = compare_docs(&x->doc, &y->doc);
    return c ? c : x->from < y->from ? -1 : x->from > y->from;
}

/* Sort the documents, and make one of those with one key. */
static int sort_docs(eval_sums *s)
{
    size_t cells = s->n * s->columns, kept = 0, c = s->columns;
    sort_entry *order = malloc((s->n + 1) * sizeof *order);
    double *sum = calloc(cells + 1, sizeof *sum);
    uint64_t *count = calloc(cells + 1, sizeof *count);
    if (!order || !sum || !count) {
        free(order);
        free(sum);
        free(count);
        return lm_fail_nomem(cells * 16);
    }
    for (size_t i = 0; i < s->n; i++) order[i] = (sort_entry){ s->doc[i], i };
    qsort(order, s->n, sizeof *order, by_doc);
    for (size_t i = 0; i < s->n; i++) {
        if (!i || compare_docs(&order[i].doc, &order[i - 1].doc)) s->doc[kept++] = order[i].doc;
        for (size_t k = 0; k < c; k++) {
            sum[(kept - 1) * c + k] += s->sum[order[i].from * c + k];
            count[(kept - 1) * c + k] += s->count[order[i].from * c + k];
        }
    }
    free(order);
    free(s->sum);
    free(s->count);
    s->sum = sum;
    s->count = count;
    s->n = kept;
    return LM_OK;
}

static int read_all(eval_sums *s, const eval_results *r)
{
    int rc = add_columns(s, eval_results_at(r, 0));
    if (!rc) rc = each_part(s, r, note_domain);
    if (!rc && s->n > DOCUMENTS_MAX)
        rc = lm_fail(LM_EDATA, "%s: more than 2^28 documents", s->name);
    if (rc) return rc;
    s->doc = malloc((s->n + 1) * sizeof *s->doc);
    s->sum = malloc((s->n * s->columns + 1) * sizeof *s->sum);
    s->count = malloc((s->n * s->columns + 1) * sizeof *s->count);
    if (!s->doc || !s->sum || !s->count) return lm_fail_nomem(s->n * s->columns * 16);
    s->n = 0;
    rc = each_part(s, r, read_part);
    if (!rc) rc = sort_docs(s);
    if (!rc && !s->n) rc = lm_fail(LM_ESHORT, "%s: no document's loss in it", s->name);
    if (rc) return rc;
    rc = add_name(&s->domain, &s->domains, "all");
    if (!rc) s->domains--;
    return rc;
}

int eval_sums_read(eval_sums *out, const eval_results *r)
{
    *out = (eval_sums){ .name = eval_results_name(r) };
    if (!eval_results_count(r)) return lm_fail(LM_ESHORT, "%s: no loss by domain in it", out->name);
    int rc = read_all(out, r);
    if (rc) eval_sums_free(out);
    return rc;
}

void eval_sums_free(eval_sums *s)
{
    for (size_t i = 0; i < s->columns; i++) free(s->column[i]);
    for (size_t i = 0; s->domain && i <= s->domains; i++) free(s->domain[i]);
    free(s->column);
    free(s->domain);
    free(s->doc);
    free(s->sum);
    free(s->count);
    *s = (eval_sums){ 0 };
}

/* ---- means and their errors ------------------------------------------------------------ */

static int same_documents(const eval_sums *s, const eval_sums *base)
{
    size_t n = s->n < base->n ? s->n : base->n, i = 0;
    bool same = s->columns == base->columns && s->domains == base->domains;
    for (size_t d = 0; same && d < s->domains; d++) same = !strcmp(s->domain[d], base->domain[d]);
    if (!same)
        return lm_fail(LM_EUSAGE, "%s and %s have other domains or ranges; is one unfinished?",
                       s->name, base->name);
    while (i < n && !compare_docs(&s->doc[i], &base->doc[i])) i++;
    if (i == s->n && i == base->n) return LM_OK;
    bool first = i == base->n || (i < s->n && compare_docs(&s->doc[i], &base->doc[i]) < 0);
    const eval_sums *has = first ? s : base;
    return lm_fail(
        LM_EUSAGE, "%s has document %016" PRIx64 " of %s and %s does not; is it unfinished?",
        has->name, has->doc[i].key, has->domain[has->doc[i].domain], first ? base->name : s->name);
}

/* The documents of a domain: from .. from + n - 1. */
static void find_docs(const eval_sums *s, size_t domain, size_t *from, size_t *n)
{
    *from = 0;
    *n = s->n;
    if (domain == s->domains) return;
    while (*from < s->n && s->doc[*from].domain < domain) ++*from;
    size_t end = *from;
    while (end < s->n && s->doc[end].domain == domain) end++;
    *n = end - *from;
}

/* Sums of sums and of counts over documents, each `times[i]` times (NULL: once), for one column. */
static double mean_of(const eval_sums *s, const eval_sums *base, size_t from, size_t n,
                      size_t column, const uint32_t *times)
{
    double sum = 0, below = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = (from + i) * s->columns + column;
        double w = times ? times[i] : 1;
        sum += w * s->sum[at];
        if (base) below += w * base->sum[at];
        count += w * (double)s->count[at];
    }
    return (sum - below) / count; /* NaN where there is nothing */
}

static void draw(uint32_t *times, size_t n, uint64_t seed, uint64_t round, size_t domain)
{
    memset(times, 0, n * sizeof *times);
    for (size_t i = 0; i < n; i++)
        times[(size_t)(lm_unit(lm_hash4(seed, domain, round, i)) * (double)n)]++;
}

static int bootstrap(const eval_sums *s, const eval_sums *base, size_t domain, uint64_t seed,
                     uint64_t rounds, eval_loss *out)
{
    size_t from, n;
    find_docs(s, domain, &from, &n);
    uint32_t *times = malloc((n + 1) * sizeof *times);
    double *sums = calloc(3 * s->columns + 1, sizeof *sums); /* values, squares, how many */
    int rc = times && sums ? LM_OK : lm_fail_nomem(n * sizeof *times);
    for (uint64_t round = 0; !rc && round < rounds; round++) {
        draw(times, n, seed, round, domain);
        for (size_t k = 0; k < s->columns; k++) {
            double v = mean_of(s, base, from, n, k, times) - out[k].loss;
            if (isnan(v)) continue; /* nothing of this column was drawn */
            sums[3 * k] += v;
            sums[3 * k + 1] += v * v;
            sums[3 * k + 2]++;
        }
    }
    for (size_t k = 0; !rc && k < s->columns; k++) {
        double m = sums[3 * k + 2], mean = sums[3 * k] / m;
        double variance = (sums[3 * k + 1] - m * mean * mean) / (m - 1);
        out[k].error = m > 1 && out[k].documents > 1 ? sqrt(variance > 0 ? variance : 0) : NAN;
    }
    free(times);
    free(sums);
    return rc;
}

int eval_sums_loss(const eval_sums *s, const eval_sums *base, size_t domain, uint64_t seed,
                   uint64_t times, eval_loss *out)
{
    size_t from, n;
    int rc = base ? same_documents(s, base) : LM_OK;
    if (rc) return rc;
    find_docs(s, domain, &from, &n);
    for (size_t k = 0; k < s->columns; k++) {
        out[k] = (eval_loss){ .loss = mean_of(s, base, from, n, k, NULL), .error = NAN };
        for (size_t i = from; i < from + n; i++) {
            out[k].tokens += s->count[i * s->columns + k];
            out[k].documents += s->count[i * s->columns + k] > 0;
        }
    }
    return bootstrap(s, base, domain, seed, times, out);
}
