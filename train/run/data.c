#include "train/run/data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/endian.h"
#include "lib/base/hash.h"
#include "lib/base/rng.h"

struct tr_data {
    lm_shards *shards;
    size_t length;
    uint64_t row_tokens, per_row, sequences;
    uint32_t vocab;
    bool doc_mask;
    uint32_t *ids; /* [row] scratch */
};

/* ---- opening --------------------------------------------------------------------------- */

static int fit_length(tr_data *d, size_t length, const char *path)
{
    const lm_shard *s = lm_shards_at(d->shards, 0);
    d->row_tokens = lm_shard_row_tokens(s);
    d->vocab = lm_shard_vocab(s);
    uint64_t row = d->row_tokens - (lm_shard_labels(s) ? 1 : 0);
    if (!row) return lm_fail(LM_EDATA, "%s: rows without a token", path);
    if (length > row)
        return lm_fail(LM_EUSAGE,
                       "%s: rows of %" PRIu64 " tokens are shorter than sequences of %zu "
                       "(--seq-len); pack longer rows",
                       path, row, length);
    d->length = length ? length : (size_t)row;
    if (row % d->length)
        return lm_fail(LM_EUSAGE,
                       "%s: rows of %" PRIu64 " tokens cannot be cut into sequences of %zu "
                       "(--seq-len) without a rest",
                       path, row, d->length);
    d->per_row = row / d->length;
    d->sequences = lm_shards_rows(d->shards) * d->per_row;
    if (!d->sequences) return lm_fail(LM_ESHORT, "%s: the shards hold no rows", path);
    return LM_OK;
}

int tr_data_open(tr_data **out, const char *path, size_t length, bool doc_mask)
{
    *out = NULL;
    tr_data *d = calloc(1, sizeof *d);
    if (!d) return lm_fail_nomem(sizeof *d);
    d->doc_mask = doc_mask;
    int rc = lm_shards_open(&d->shards, path);
    if (!rc) rc = fit_length(d, length, path);
    if (!rc && !(d->ids = malloc(d->row_tokens * sizeof *d->ids)))
        rc = lm_fail_nomem(d->row_tokens * sizeof *d->ids);
    if (rc) tr_data_close(d);
    else *out = d;
    return rc;
}

void tr_data_close(tr_data *d)
{
    if (!d) return;
    lm_shards_close(d->shards);
    free(d->ids);
    free(d);
}

size_t tr_data_length(const tr_data *d) { return d->length; }
uint64_t tr_data_sequences(const tr_data *d) { return d->sequences; }
uint32_t tr_data_vocab(const tr_data *d) { return d->vocab; }

static const lm_json *names(const tr_data *d)
{
    return lm_json_get(lm_shard_identity(lm_shards_at(d->shards, 0)), "domains");
}

size_t tr_data_domains(const tr_data *d) { return lm_json_size(names(d)); }

const char *tr_data_domain(const tr_data *d, size_t i)
{
    const char *s = NULL;
    const lm_json *v = lm_json_at(names(d), i);
    return v && !lm_json_str(&s, v, NULL) ? s : "unknown";
}

int tr_data_tokenizer(const tr_data *d, uint64_t *out)
{
    const lm_json *t = lm_json_get(lm_shard_identity(lm_shards_at(d->shards, 0)), "tokenizer");
    *out = 0;
    return t ? lm_json_hex64(out, t, "xxh3") : LM_OK;
}

int tr_data_hash(const tr_data *d, uint64_t *out)
{
    lm_hasher *h = NULL;
    lm_buf text = LM_BUF_INIT((size_t)1 << 30);
    int rc = lm_hasher_new(&h);
    for (size_t i = 0; !rc && i < lm_shards_count(d->shards); i++) {
        const lm_shard *s = lm_shards_at(d->shards, i);
        unsigned char head[24];
        lm_put64(head, lm_shard_identity_hash(s));
        lm_put64(head + 8, lm_shard_number(s));
        lm_put64(head + 16, lm_shard_rows(s));
        lm_buf_reset(&text, SIZE_MAX);
        rc = lm_json_dump(lm_shard_receipt(s), 0, &text);
        if (rc) break;
        lm_hasher_add(h, head, sizeof head);
        lm_hasher_add(h, text.data, text.size);
    }
    if (!rc) *out = lm_hasher_digest(h);
    lm_hasher_free(h);
    lm_buf_free(&text);
    return rc;
}

/* ---- order ----------------------------------------------------------------------------- */

/* A Feistel network over the smallest even number of bits that holds `n`, walked until it lands
 * below n: a permutation of 0 .. n-1 without a table. */
static uint64_t permute(uint64_t n, uint64_t seed, uint64_t pass, uint64_t i)
{
    unsigned half = 1;
    while (half < 32 && (uint64_t)1 << 2 * half < n) half++;
    uint64_t mask = ((uint64_t)1 << half) - 1;
    do {
        uint64_t left = i >> half, right = i & mask;
        for (uint64_t round = 0; round < 4; round++) {
            uint64_t next = left ^ (lm_hash4(seed, pass, round, right) & mask);
            left = right;
            right = next;
        }
        i = left << half | right;
    } while (i >= n);
    return i;
}

uint64_t tr_data_order(uint64_t sequences, uint64_t seed, uint64_t i)
{
    return permute(sequences, seed, i / sequences, i % sequences);
}

/* ---- sequences ------------------------------------------------------------------------- */

int tr_rows_new(tr_rows *r, size_t length, size_t capacity)
{
    size_t n = length * capacity;
    *r = (tr_rows){ .length = length, .capacity = capacity };
    if (n / length != capacity || n > UINT32_MAX - 1)
        return lm_fail(LM_EUSAGE, "%zu sequences of %zu tokens are too many for one step", capacity,
                       length);
    r->ids = malloc(n * sizeof *r->ids);
    r->targets = malloc(n * sizeof *r->targets);
    r->domains = malloc(n * sizeof *r->domains);
    r->starts = malloc((n + 1) * sizeof *r->starts);
    r->which = malloc(capacity * sizeof *r->which);
    if (r->ids && r->targets && r->domains && r->starts && r->which) {
        r->starts[0] = 0;
        return LM_OK;
    }
    tr_rows_free(r);
    return lm_fail_nomem(n * 14);
}

void tr_rows_free(tr_rows *r)
{
    free(r->ids);
    free(r->targets);
    free(r->domains);
    free(r->starts);
    free(r->which);
    *r = (tr_rows){ 0 };
}

void tr_rows_clear(tr_rows *r) { r->count = r->predicted = r->n_segments = 0; }

/* The span of token `at` of a row, searched from *i; NULL in the padding. */
static const lm_span *span_at(const lm_span *spans, size_t n, size_t *i, uint64_t at)
{
    while (*i < n && at >= (uint64_t)spans[*i].row_start + spans[*i].tokens) ++*i;
    return *i < n && at >= spans[*i].row_start ? &spans[*i] : NULL;
}

int tr_data_add(const tr_data *d, uint64_t number, tr_rows *r)
{
    const lm_shard *s = NULL;
    const lm_span *spans = NULL;
    uint64_t row = 0;
    size_t n_spans = 0, i = 0;
    if (r->count == r->capacity || r->length != d->length)
        return lm_fail(LM_EUSAGE, "no room for sequence %" PRIu64, number);
    int rc = lm_shards_find(d->shards, number / d->per_row, &s, &row);
    if (!rc) rc = lm_shard_row(s, row, d->ids);
    if (!rc) rc = lm_shard_spans(s, row, &spans, &n_spans);
    if (rc) return rc;
    uint64_t first = number % d->per_row * d->length;
    size_t base = r->count * d->length;
    const lm_span *before = NULL;
    r->which[r->count++] = number;
    for (size_t k = 0; k < d->length; k++) {
        uint64_t at = first + k;
        const lm_span *here = span_at(spans, n_spans, &i, at);
        size_t j = i;
        const lm_span *next = at + 1 < d->row_tokens ? span_at(spans, n_spans, &j, at + 1) : NULL;
        bool begins = k == 0 || (d->doc_mask && here != before);
        before = here;
        if (begins) r->starts[r->n_segments++] = (uint32_t)(base + k);
        bool asked = next && !(d->doc_mask && next != here);
        r->ids[base + k] = (int32_t)d->ids[at];
        r->targets[base + k] = asked ? (int32_t)d->ids[at + 1] : -1;
        r->domains[base + k] = asked ? next->domain : 0;
        r->predicted += asked;
    }
    r->starts[r->n_segments] = (uint32_t)(base + d->length);
    return LM_OK;
}

tr_batch tr_rows_batch(const tr_rows *r, size_t from, size_t count, uint32_t *starts)
{
    size_t at = from * r->length, n = count * r->length, i = 0, k = 0;
    while (r->starts[i] < at) i++;
    for (; i < r->n_segments && r->starts[i] < at + n; i++)
        starts[k++] = r->starts[i] - (uint32_t)at;
    starts[k] = (uint32_t)n;
    return (tr_batch){ n, r->ids + at, r->targets + at, k, starts, 0 };
}

void tr_data_lineage(const tr_data *d, uint64_t number, char *text, size_t size)
{
    enum { SHOWN = 4 };
    const lm_shard *s = NULL;
    const lm_span *spans = NULL;
    uint64_t row = 0;
    size_t n = 0, shown = 0;
    *text = 0;
    if (lm_shards_find(d->shards, number / d->per_row, &s, &row) ||
        lm_shard_spans(s, row, &spans, &n))
        return;
    uint64_t first = number % d->per_row * d->length;
    size_t k = (size_t)snprintf(text, size, "%s row %" PRIu64 ":", lm_shard_name(s), row);
    for (size_t i = 0; i < n && k < size; i++) {
        if ((uint64_t)spans[i].row_start + spans[i].tokens <= first ||
            spans[i].row_start >= first + d->length)
            continue;
        if (shown++ == SHOWN) {
            snprintf(text + k, size - k, " ...");
            return;
        }
        const char *file = lm_shards_file(d->shards, spans[i].file);
        char numbered[32];
        snprintf(numbered, sizeof numbered, "file %" PRIu32, spans[i].file);
        k += (size_t)snprintf(text + k, size - k, "%s %s %s:%" PRIu64, shown > 1 ? "," : "",
                              tr_data_domain(d, spans[i].domain), file ? file : numbered,
                              spans[i].line);
    }
}
