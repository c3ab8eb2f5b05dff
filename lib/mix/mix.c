/* mix.c -- the selection of a plan, and the mixture in order of arrival. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/threads.h"
#include "longmix/version.h"
#include "lib/mix/internal.h"

/* ---- selection --------------------------------------------------------------------------- */

int lmmix_select_init(lmmix_select *s, const lm_plan *p, const lm_meta *m)
{
    int domain[LM_DOMAINS_MAX];
    *s = (lmmix_select){ .p = p };
    for (size_t d = 0; d < p->domains; d++) {
        size_t i = 0;
        while (i < m->domains && strcmp(m->domain[i], p->domain[d].name)) i++;
        domain[d] = i < m->domains ? (int)i : -1;
        if (domain[d] < 0 && p->domain[d].tokens)
            return lm_fail(LM_EUSAGE,
                           "the plan needs %" PRIu64 " tokens of domain %s, which the stream lacks",
                           p->domain[d].tokens, p->domain[d].name);
    }
    s->ties = calloc(p->strata + 1, sizeof *s->ties);
    if (!s->ties) return lm_fail_nomem((p->strata + 1) * sizeof *s->ties);
    for (size_t i = 0; i < p->strata; i++) {
        const lm_stratum *t = &p->stratum[i];
        if (t->tokens && domain[t->domain] >= 0) s->stratum[domain[t->domain]][t->bucket] = t;
    }
    return LM_OK;
}

void lmmix_select_free(lmmix_select *s) { free(s->ties); }

lmmix_pick lmmix_choose(lmmix_select *s, uint16_t domain, uint64_t key, uint64_t tokens)
{
    const lm_stratum *t = s->stratum[domain][lm_bucket(tokens)];
    if (!t || !tokens) return (lmmix_pick){ 0, 0 };
    lmmix_pick pick = { (unsigned)t->copies, 0 };
    if (!t->threshold && !t->ties && !t->trim) return pick;

    uint64_t hash = lm_hash4(s->p->select_seed, key, t->copies, 0);
    if (hash < t->threshold) {
        pick.whole++;
    } else if (hash == t->threshold) {
        uint64_t before = s->ties[t - s->p->stratum]++;
        uint64_t length = before < t->ties ? tokens : before == t->ties ? t->trim : 0;
        if (length >= tokens) pick.whole++;
        else pick.trimmed = length;
    }
    return pick;
}

/* ---- units ------------------------------------------------------------------------------- */

uint64_t lmmix_units(uint64_t cut, uint64_t length)
{
    return !length ? 0 : cut ? (length + cut - 1) / cut : 1;
}

lmmix_unit lmmix_unit_at(uint64_t cut, uint64_t doc_tokens, uint64_t length, uint64_t i)
{
    lmmix_unit u = { 0, length, doc_tokens };
    if (!cut) return u;
    u.start = i * cut;
    u.unit_tokens = doc_tokens - u.start < cut ? doc_tokens - u.start : cut;
    u.tokens = length - u.start < u.unit_tokens ? length - u.start : u.unit_tokens;
    return u;
}

int lmmix_unit_add(lm_buf *out, unsigned width, const lm_record *doc, const lmmix_unit *u,
                   unsigned copy, unsigned flags)
{
    lm_record r = *doc;
    r.doc.tokens = u->tokens;
    r.doc.doc_tokens = doc->doc.tokens;
    r.doc.start = u->start;
    r.doc.unit_tokens = u->unit_tokens;
    r.doc.copy = (uint8_t)copy;
    r.doc.flags = (uint8_t)(flags | (u->tokens < u->unit_tokens ? LM_DOC_TRIMMED : 0));
    r.tokens = (const unsigned char *)doc->tokens + u->start * width;
    return lm_record_add(out, width, &r);
}

int lmmix_header(lm_json **out, const lm_meta *m, const lm_plan *p, uint32_t part, uint32_t parts)
{
    const char *key = NULL;
    const lm_json *value = NULL;
    if (m->plan)
        return lm_fail(LM_EUSAGE, "the input is a mixture; mix the store that it was made from");
    lm_json *j = lm_json_object(), *k = lm_json_object();
    for (size_t i = 0; lm_json_member(m->json, i, &key, &value); i++) {
        if (!strcmp(key, "format")) lm_json_set_str(j, key, LM_STORE_FORMAT);
        else if (!strcmp(key, "longmix")) lm_json_set_str(j, key, LM_VERSION);
        else if (strcmp(key, "part")) lm_json_set_copy(j, key, value);
    }
    lm_json_set_u64(k, "k", part);
    lm_json_set_u64(k, "of", parts);
    lm_json_set(j, "part", k);
    lm_json_set_copy(j, "plan", p->json);
    *out = j;
    return LM_OK;
}

/* ---- in order of arrival ----------------------------------------------------------------- */

typedef struct arrival {
    lmmix_select select;
    lm_store_writer *w;
    lm_buf out;
    unsigned width;
    uint64_t tokens;                 /* of the mixture so far */
    uint64_t *documents, *available; /* [strata] seen in the stream */
} arrival;

static int flush(arrival *a, size_t from)
{
    if (a->out.size < from) return LM_OK;
    int rc = lm_store_append(a->w, a->out.data, a->out.size);
    lm_buf_reset(&a->out, 4 * MIX_BATCH);
    return rc;
}

static int take_document(arrival *a, const lm_record *r)
{
    const lm_plan *p = a->select.p;
    lmmix_pick pick = lmmix_choose(&a->select, r->doc.domain, r->doc.key, r->doc.tokens);
    const lm_stratum *s = a->select.stratum[r->doc.domain][lm_bucket(r->doc.tokens)];
    if (s) {
        a->documents[s - p->stratum]++;
        a->available[s - p->stratum] += r->doc.tokens;
    }
    for (unsigned c = 0; c <= pick.whole; c++) {
        uint64_t length = c < pick.whole ? r->doc.tokens : pick.trimmed;
        uint64_t n = lmmix_units(p->cut, length);
        for (uint64_t i = 0; i < n; i++) {
            lmmix_unit u = lmmix_unit_at(p->cut, r->doc.tokens, length, i);
            int rc = lmmix_unit_add(&a->out, a->width, r, &u, c, 0);
            if (!rc) rc = flush(a, MIX_BATCH);
            if (rc) return rc;
        }
        a->tokens += length;
    }
    return LM_OK;
}

static int copy_stream(arrival *a, lm_stream *in, lm_progress *progress)
{
    lm_record r;
    int rc;
    while ((rc = lm_stream_next(in, &r)) == 1) {
        rc = lm_check_interrupt();
        if (rc) return rc;
        if (r.kind == LM_REC_DOC) {
            rc = take_document(a, &r);
            lm_progress_add(progress, r.doc.tokens * a->width, 1);
        } else {
            rc = lm_record_add(&a->out, a->width, &r);
            if (!rc) rc = flush(a, MIX_BATCH);
        }
        if (rc) return rc;
    }
    return rc ? rc : flush(a, 0);
}

/* An exact plan is valid for its own store only; the counts show whether this was it. */
static int check_arrival(const arrival *a)
{
    const lm_plan *p = a->select.p;
    for (size_t i = 0; i < p->strata; i++) {
        const lm_stratum *s = &p->stratum[i];
        if (s->tokens && (a->documents[i] != s->documents || a->available[i] != s->available))
            return lm_fail(LM_EUSAGE,
                           "the plan was made from another store: of %s up to %" PRIu64
                           " tokens it knows %" PRIu64 " documents, %" PRIu64
                           " came; plan again, or plan from a histogram",
                           p->domain[s->domain].name, lm_bucket_upto(s->bucket), s->documents,
                           a->documents[i]);
    }
    if (a->tokens != p->tokens)
        return lm_fail(LM_EDATA,
                       "the plan's thresholds give %" PRIu64 " tokens, not %" PRIu64 "; plan again",
                       a->tokens, p->tokens);
    return LM_OK;
}

int lm_mix_stream(const lm_plan *p, lm_stream *in, const lm_mix_options *o, const char *path)
{
    const lm_meta *m = lm_stream_meta(in);
    arrival a = { .out = LM_BUF_INIT(MIX_RECORDS_MAX), .width = m->width };
    lm_json *header = NULL;
    int rc;

    if (o->parts != 1)
        return lm_fail(LM_EUSAGE,
                       "a mixture in order of arrival cannot be made in parts; use the store");
    rc = lmmix_header(&header, m, p, 1, 1);
    if (!rc) rc = lmmix_select_init(&a.select, p, m);
    if (rc) goto out;
    a.documents = calloc(p->strata + 1, sizeof *a.documents);
    a.available = calloc(p->strata + 1, sizeof *a.available);
    if (!a.documents || !a.available) {
        rc = lm_fail_nomem(2 * p->strata * sizeof *a.documents);
        goto out;
    }
    rc = lm_store_writer_open(&a.w, path, header, LM_STORE_ONCE, NULL, NULL);
    if (!rc) rc = copy_stream(&a, in, o->progress);
    if (!rc && p->exact) rc = check_arrival(&a);
    if (!rc) {
        rc = lm_store_finish(a.w);
        a.w = NULL;
    }
out:
    lm_store_leave(a.w);
    lm_json_free(header);
    lmmix_select_free(&a.select);
    lm_buf_free(&a.out);
    free(a.documents);
    free(a.available);
    return rc;
}
