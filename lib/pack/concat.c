/* concat.c -- rows are the windows of the mixture, one after the other, regardless of where
 * documents begin and end. A row is of the shard that its first token is of. */
#include "lib/pack/internal.h"

static int hand_on(packer *p)
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
    /* Marks that came within the row take effect now. */
    uint64_t to = p->current < p->end ? p->current : p->end;
    bool ended = p->current == p->shards;
    return rc || !p->marked || ended ? rc : pack_sink_advance(s, to, false, 0);
}

int pack_concat_unit(packer *p, const lm_doc *d, const void *tokens)
{
    const unsigned char *from = tokens;
    uint64_t i = 0;
    /* What lies before this part's first row is the end of the part before. */
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
        if (p->row.fill == p->row_tokens && (rc = hand_on(p))) return rc;
    }
    p->at += d->tokens - i; /* of the next part */
    return LM_OK;
}
