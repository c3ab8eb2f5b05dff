/* pack.c -- one run: the kind of stream, the shards of this part, concat, the end. */
#include "longmix/pack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/plan.h"
#include "lib/base/threads.h"
#include "longmix/version.h"
#include "lib/pack/internal.h"

#define SHARD_BYTES_DEFAULT ((uint64_t)1 << 30)

/* ---- the identity of the shards ------------------------------------------------ */

static lm_json *names_json(const char *const *name, size_t n)
{
    lm_json *list = lm_json_array();
    for (size_t i = 0; i < n; i++) lm_json_set_str(list, NULL, name[i]);
    return list;
}

static lm_json *identity_json(const packer *p)
{
    const lm_meta *m = p->meta;
    const lm_pack_options *o = p->o;
    lm_json *j = lm_json_object(), *how = lm_json_object();
    lm_json_set_str(j, "longmix", LM_VERSION);
    lm_json_set_copy(j, "tokenizer", lm_json_get(m->json, "tokenizer"));
    lm_json_set(j, "domains", names_json(m->domain, m->domains));
    lm_json_set(j, "files", lm_shard_files(m->file, m->files));
    if (m->plan) lm_json_set_copy(j, "plan", m->plan);
    lm_json_set_str(how, "how", o->how == LM_PACK_CONCAT ? "concat" : "best-fit");
    lm_json_set_u64(how, "length", o->length);
    lm_json_set_bool(how, "labels", o->labels);
    lm_json_set_u64(how, "row_tokens", p->row_tokens);
    if (o->how == LM_PACK_BEST_FIT) lm_json_set_u64(how, "pad", o->pad);
    if (!p->marked) lm_json_set_u64(how, "rows_a_shard", p->rows_a_shard);
    lm_json_set(j, "pack", how);
    return j;
}

/* ---- start ------------------------------------------------------------------------ */

static int check_options(const lm_pack_options *o, const lm_meta *m)
{
    uint64_t row = o->length + o->labels;
    if (o->length < 1 || row > LM_ROW_MAX)
        return lm_fail(LM_EUSAGE, "rows of %" PRIu64 " tokens: must be from 1 to %" PRIu64,
                       o->length, LM_ROW_MAX - o->labels);
    if (o->parts < 1 || o->part < 1 || o->part > o->parts)
        return lm_fail(LM_EUSAGE, "part %u of %u", (unsigned)o->part, (unsigned)o->parts);
    if (m->plan && m->parts > 1 && (o->part != m->part || o->parts != m->parts))
        return lm_fail(LM_EUSAGE,
                       "the stream is part %u/%u of its mixture, not %u/%u; give --part %u/%u",
                       (unsigned)m->part, (unsigned)m->parts, (unsigned)o->part, (unsigned)o->parts,
                       (unsigned)m->part, (unsigned)m->parts);
    if (o->how == LM_PACK_BEST_FIT && o->pad >= m->vocab)
        return lm_fail(LM_EUSAGE, "padding with id %u, but the vocabulary has %u", (unsigned)o->pad,
                       (unsigned)m->vocab);
    return LM_OK;
}

/* The first mark or document decides whether the stream has shards of its own. */
static int begin(packer *p, bool marked, bool force)
{
    const lm_pack_options *o = p->o;
    uint64_t bytes = o->shard_bytes ? o->shard_bytes : SHARD_BYTES_DEFAULT;
    bool whole = o->parts == 1, exact = false;
    uint64_t threshold = 0;
    p->marked = marked;
    p->rows_a_shard = bytes / (p->row_tokens * p->width);
    if (!p->rows_a_shard) p->rows_a_shard = 1;
    p->end = UINT64_MAX;
    if (marked) {
        lm_plan plan;
        if (!p->meta->plan)
            return lm_fail(LM_EDATA, "the stream marks shards but its header has no plan");
        int rc = lm_plan_from_json(&plan, p->meta->plan);
        if (rc) return rc;
        p->shards = plan.shards;
        lm_plan_part(&plan, o->part, o->parts, &p->first, &p->end);
        p->current = p->meta->parts > 1 ? p->first : 0;
        exact = plan.exact;
        if (exact && o->how == LM_PACK_CONCAT && plan.tokens < p->row_tokens)
            rc = lm_fail(LM_ESHORT,
                         "the mixture has %" PRIu64 " tokens, less than one row of %" PRIu64,
                         plan.tokens, p->row_tokens);
        lm_plan_free(&plan);
        if (rc) return rc;
    } else if (!whole) {
        return lm_fail(LM_EUSAGE, "the stream has no shard marks, so it cannot be packed in parts; "
                                  "pack a mixture of a store (lmmix PLAN STORE)");
    }
    p->identity = identity_json(p);
    p->sink.spec = (lm_shard_spec){ .row_tokens = p->row_tokens,
                                    .labels = o->labels,
                                    .width = p->width,
                                    .vocab = p->meta->vocab,
                                    .number = p->first,
                                    .identity = p->identity };
    int rc = pack_threshold(&threshold, p->identity);
    if (!rc) rc = pack_counts_new(&p->sink.counts, p->meta->domains, p->row_tokens, threshold);
    if (!rc) rc = pack_lock_dir(&p->lock, p->sink.dir, o, p->identity, force);
    /* Only with an exact plan does the same identity mean the same tokens. Otherwise shards of an
     * earlier run could be mistaken for this one's. */
    if (!rc && whole && !exact) rc = pack_empty_dir(p->sink.dir);
    if (!rc && o->how == LM_PACK_CONCAT) rc = pack_row_new(&p->row, p->row_tokens, p->width);
    if (!rc && o->how == LM_PACK_BEST_FIT) rc = pack_best_fit_new(&p->open, p);
    return rc;
}

/* ---- records ------------------------------------------------------------------------------ */

/* Shard m->shard begins with the next token. */
static int take_mark(packer *p, const lm_shard_mark *m, bool first)
{
    bool jump = m->shard == p->shards && p->current >= p->end; /* the overlap reached the end */
    if (first) {
        if (m->shard != p->current)
            return lm_fail(LM_EDATA, "the mixture begins with shard %" PRIu64 ", not %" PRIu64,
                           m->shard, p->current);
        p->at = m->start;
    } else if (m->shard != p->current + 1 && !jump) {
        return lm_fail(LM_EDATA, "shard %" PRIu64 " of the mixture follows shard %" PRIu64,
                       m->shard, p->current);
    }
    if (m->start != p->at)
        return lm_fail(LM_EDATA,
                       "shard %" PRIu64 " begins with token %" PRIu64 ", but %" PRIu64 " were read",
                       m->shard, m->start, p->at);
    p->current = m->shard;
    if (m->shard == p->first)
        p->start = (m->start + p->row_tokens - 1) / p->row_tokens * p->row_tokens;
    if (p->current < p->first || m->shard == p->shards)
        return LM_OK; /* the last shard ends with the run */
    if (p->o->how == LM_PACK_BEST_FIT) {
        int rc = pack_best_fit_flush(p);
        if (rc) return rc;
    } else if (p->row.fill) {
        return LM_OK; /* its shard is open until the row is full */
    }
    return pack_sink_advance(&p->sink, p->current < p->end ? p->current : p->end, false, 0);
}

/* concat: rows are windows of the mixture, one after the other, regardless of where documents begin
 * and end. A row belongs to the shard of its first token. */
static int write_row(packer *p)
{
    pack_sink *s = &p->sink;
    int rc = LM_OK;
    if (!p->marked && s->counts.rows == p->rows_a_shard)
        rc = pack_sink_advance(s, s->spec.number + 1, false, 0);
    if (!rc)
        rc = pack_sink_row(s, p->row.ids, (const lm_span *)(const void *)p->row.spans.data,
                           p->row.spans.size / sizeof(lm_span));
    p->row.fill = 0;
    lm_buf_reset(&p->row.spans, p->row.spans.cap);
    /* Marks within the row take effect now. */
    uint64_t to = p->current < p->end ? p->current : p->end;
    bool ended = p->current == p->shards;
    return rc || !p->marked || ended ? rc : pack_sink_advance(s, to, false, 0);
}

int pack_concat_unit(packer *p, const lm_doc *d, const void *tokens)
{
    const unsigned char *from = tokens;
    uint64_t i = 0;
    /* Tokens before this part's first row belong to the part before. */
    if (p->current < p->first) i = d->tokens;
    else if (p->at < p->start) i = d->tokens < p->start - p->at ? d->tokens : p->start - p->at;
    p->at += i;
    while (i < d->tokens && (p->row.fill || p->current < p->end)) {
        uint64_t n = p->row_tokens - p->row.fill;
        if (n > d->tokens - i) n = d->tokens - i;
        int rc = pack_row_add(&p->row, p->width, d, from + i * p->width, i, n);
        if (rc) return rc;
        i += n;
        p->at += n;
        if (p->row.fill == p->row_tokens && (rc = write_row(p))) return rc;
    }
    p->at += d->tokens - i; /* these belong to the next part */
    return LM_OK;
}

static int take_unit(packer *p, const lm_doc *d, const void *tokens)
{
    if (p->marked && d->flags & LM_DOC_OVERLAP && p->current < p->end)
        return lm_fail(LM_EDATA, "the mixture's overlap precedes the end of its part");
    return p->o->how == LM_PACK_CONCAT ? pack_concat_unit(p, d, tokens)
                                       : pack_best_fit_unit(p, d, tokens);
}

static int take_input(packer *p, const lm_file_end *f)
{
    /* The inputs of a store precede the first mark and belong to shard 0. */
    if (p->first > 0 && p->at <= p->start) return LM_OK;
    return pack_sink_input(&p->sink, f, p->meta->file[f->file]);
}

static int copy_stream(packer *p, lm_stream *in, bool force)
{
    bool begun = false;
    lm_record r;
    int rc;
    while ((rc = lm_stream_next(in, &r)) == 1) {
        bool mark = r.kind == LM_REC_SHARD, first = !begun && (mark || r.kind == LM_REC_DOC);
        rc = lm_check_interrupt();
        if (!rc && first) {
            begun = true;
            rc = begin(p, mark, force);
            /* What ended before is in shard 0. */
            if (p->first > 0) pack_sink_forget_inputs(&p->sink);
        }
        if (rc) break;
        if (mark && p->marked) rc = take_mark(p, &r.shard, first);
        else if (mark) rc = lm_fail(LM_EDATA, "a shard mark after unmarked documents");
        else if (r.kind == LM_REC_DOC) rc = take_unit(p, &r.doc, r.tokens);
        else if (r.kind == LM_REC_FILE) rc = take_input(p, &r.file);
        if (rc) break;
    }
    if (!rc && !begun) rc = lm_fail(LM_ESHORT, "the stream holds no documents");
    return rc;
}

/* ---- end ------------------------------------------------------------------------------ */

static int finish_marked(packer *p)
{
    bool whole_end = p->current == p->shards, ours = p->end == p->shards;
    bool concat = p->o->how == LM_PACK_CONCAT;
    if (p->current < p->end)
        return lm_fail(LM_EDATA,
                       "the mixture ends with shard %" PRIu64 ", before shard %" PRIu64
                       " of its plan",
                       p->current, p->end);
    if (p->row.fill && !whole_end)
        return lm_fail(LM_EUSAGE,
                       "rows of %" PRIu64
                       " tokens are longer than the overlap of this part, which was "
                       "planned for shorter ones; plan again with this -L",
                       p->row_tokens);
    if (concat && ours && p->at < p->row_tokens)
        return lm_fail(LM_ESHORT,
                       "the mixture has %" PRIu64 " tokens, less than one row of %" PRIu64, p->at,
                       p->row_tokens);
    int rc = concat ? LM_OK : pack_best_fit_flush(p);
    return rc ? rc : pack_sink_advance(&p->sink, p->end, ours, concat ? p->at % p->row_tokens : 0);
}

static int finish_unmarked(packer *p)
{
    if (p->o->how == LM_PACK_BEST_FIT) {
        int rc = pack_best_fit_flush(p);
        if (rc) return rc;
    } else if (p->at < p->row_tokens) {
        return lm_fail(LM_ESHORT,
                       "the stream has %" PRIu64 " tokens, less than one row of %" PRIu64, p->at,
                       p->row_tokens);
    }
    p->shards = p->sink.spec.number + 1;
    return pack_sink_advance(&p->sink, p->shards, true, p->row.fill);
}

int lm_pack(lm_stream *in, const lm_pack_options *o, const char *dir, bool force,
            lm_pack_sums *sums)
{
    const lm_meta *m = lm_stream_meta(in);
    packer p = { .o = o,
                 .meta = m,
                 .row_tokens = o->length + o->labels,
                 .width = m->width,
                 .sink = { .dir = dir,
                           .background = o->threads > 1,
                           .not_read = m->not_read,
                           .sums = sums,
                           .progress = o->progress } };
    *sums = (lm_pack_sums){ 0 };
    int rc = check_options(o, m);
    if (!rc) rc = copy_stream(&p, in, force);
    if (!rc) rc = p.marked ? finish_marked(&p) : finish_unmarked(&p);
    if (!rc) rc = pack_sink_wait(&p.sink);
    if (!rc) rc = pack_finish_dir(dir, p.shards, &sums->complete);
    pack_sink_free(&p.sink);
    pack_unlock_dir(&p.lock, dir);
    lm_json_free(p.identity);
    pack_row_free(&p.row);
    pack_best_fit_free(p.open);
    return rc;
}
