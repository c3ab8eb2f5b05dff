/* receipt.c -- the counts of a shard, from the spans of its rows alone, so that they can be
 * verified. */
#include <stdlib.h>
#include <string.h>

#include "longmix/plan.h"
#include "lib/pack/internal.h"

int pack_counts_new(pack_counts *c, size_t domains, uint64_t row_tokens, uint64_t threshold)
{
    *c = (pack_counts){ .domains = domains, .row_tokens = row_tokens, .threshold = threshold };
    c->domain_documents = calloc(domains + 1, sizeof *c->domain_documents);
    c->long_tokens = calloc(domains + 1, sizeof *c->long_tokens);
    c->cell = calloc(domains + 1, sizeof *c->cell);
    if (c->domain_documents && c->long_tokens && c->cell) return LM_OK;
    pack_counts_free(c);
    return lm_fail_nomem((domains + 1) * sizeof *c->cell);
}

void pack_counts_reset(pack_counts *c)
{
    memset(c->domain_documents, 0, c->domains * sizeof *c->domain_documents);
    memset(c->long_tokens, 0, c->domains * sizeof *c->long_tokens);
    memset(c->cell, 0, c->domains * sizeof *c->cell);
    c->rows = c->tokens = c->padding = c->documents = c->units = c->cuts = c->repeats = c->trimmed =
        0;
}

void pack_counts_free(pack_counts *c)
{
    free(c->domain_documents);
    free(c->long_tokens);
    free(c->cell);
    *c = (pack_counts){ 0 };
}

void pack_counts_row(pack_counts *c, const lm_span *spans, size_t n)
{
    uint64_t tokens = 0;
    for (const lm_span *s = spans; s < spans + n; s++) {
        pack_cell *cell = &c->cell[s->domain][lm_bucket(s->doc_tokens)];
        tokens += s->tokens;
        cell->tokens += s->tokens;
        if (s->unit_tokens > c->threshold) c->long_tokens[s->domain] += s->tokens;
        if (!(s->flags & LM_SPAN_ENDS)) c->cuts++;
        if (!(s->flags & LM_SPAN_BEGINS)) continue;
        c->units++;
        cell->units++;
        if (s->copy) c->repeats++;
        if (s->flags & LM_SPAN_TRIMMED) c->trimmed++;
        if (s->doc_start == 0) {
            c->documents++;
            c->domain_documents[s->domain]++;
        }
    }
    c->rows++;
    c->tokens += tokens;
    c->padding += c->row_tokens - tokens;
}

static lm_json *domain_json(const pack_counts *c, size_t d, const char *name)
{
    lm_json *j = lm_json_object(), *buckets = lm_json_array();
    uint64_t tokens = 0, units = 0;
    for (unsigned b = 0; b < LM_BUCKETS; b++) {
        const pack_cell *cell = &c->cell[d][b];
        if (!cell->tokens) continue;
        lm_json *k = lm_json_object();
        lm_json_set_u64(k, "upto", lm_bucket_upto(b));
        lm_json_set_u64(k, "tokens", cell->tokens);
        lm_json_set_u64(k, "units", cell->units);
        lm_json_set(buckets, NULL, k);
        tokens += cell->tokens;
        units += cell->units;
    }
    lm_json_set_str(j, "name", name);
    lm_json_set_u64(j, "tokens", tokens);
    lm_json_set_u64(j, "long_tokens", c->long_tokens[d]);
    lm_json_set_u64(j, "documents", c->domain_documents[d]);
    lm_json_set_u64(j, "units", units);
    lm_json_set(j, "buckets", buckets);
    return j;
}

void pack_counts_to_json(const pack_counts *c, const lm_json *names, lm_json *receipt)
{
    lm_json *domains = lm_json_array();
    lm_json_set_u64(receipt, "rows", c->rows);
    lm_json_set_u64(receipt, "tokens", c->tokens);
    lm_json_set_u64(receipt, "padding", c->padding);
    lm_json_set_u64(receipt, "documents", c->documents);
    lm_json_set_u64(receipt, "units", c->units);
    lm_json_set_u64(receipt, "repeats", c->repeats);
    lm_json_set_u64(receipt, "trimmed", c->trimmed);
    lm_json_set_u64(receipt, "cuts", c->cuts);
    for (size_t d = 0; d < c->domains; d++) {
        const char *name = NULL;
        bool any = false;
        for (unsigned b = 0; b < LM_BUCKETS; b++) any = any || c->cell[d][b].tokens;
        if (any && !lm_json_str(&name, lm_json_at(names, d), NULL))
            lm_json_set(domains, NULL, domain_json(c, d, name));
    }
    lm_json_set(receipt, "domains", domains);
}

int pack_threshold(uint64_t *out, const lm_json *identity)
{
    const lm_json *plan = lm_json_get(identity, "plan");
    *out = lm_bucket_upto(LM_LONG_BUCKET - 1);
    return plan ? lm_json_u64(out, plan, "threshold") : LM_OK;
}
