/* best_fit.c -- best-fit packing (Ding et al. 2024, arXiv 2404.10830) with bounded memory.
 *
 * A unit longer than a row is cut into whole rows and a remainder. Remainders and short units go
 * into the open row with the smallest sufficient gap, or into a new row. If all rows are open, the
 * fullest is padded and written first. Units come in the mixture's random order, so there are
 * always short ones to fill gaps. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/endian.h"
#include "lib/pack/internal.h"

enum {
    ROWS_MAX = 4096,      /* open at once, */
    IDS_MAX = 64 << 20,   /* bytes of their ids, */
    SPANS_MAX = 32 << 20, /* bytes of their spans */
    SPANS_KEEP = 4096,    /* bytes for spans that an idle row keeps */
};

struct pack_best_fit {
    uint64_t row_tokens;
    unsigned width;
    size_t limit; /* rows */
    pack_row row[ROWS_MAX];
    uint16_t idle[ROWS_MAX]; /* numbers of the rows that are not open */
    size_t idles;
    uint64_t open[ROWS_MAX]; /* gap << 12 | number of the row, ascending */
    size_t opens;
    size_t span_bytes;     /* of the open rows */
    uint64_t shard_tokens; /* of the current shard, when not marked */
};
_Static_assert(ROWS_MAX == 1 << 12, "a row's number takes 12 bits");

/* Reset all rows to idle, in the initial order: a shard does not depend on the one before. */
static void all_idle(pack_best_fit *b)
{
    for (b->idles = 0; b->idles < b->limit; b->idles++)
        b->idle[b->idles] = (uint16_t)(b->limit - 1 - b->idles);
}

int pack_best_fit_new(pack_best_fit **out, const packer *p)
{
    pack_best_fit *b = calloc(1, sizeof *b);
    if (!b) return lm_fail_nomem(sizeof *b);
    uint64_t fit = IDS_MAX / (p->row_tokens * p->width);
    b->row_tokens = p->row_tokens;
    b->width = p->width;
    b->limit = fit < 1 ? 1 : fit > ROWS_MAX ? ROWS_MAX : (size_t)fit;
    all_idle(b);
    *out = b;
    return LM_OK;
}

void pack_best_fit_free(pack_best_fit *b)
{
    if (!b) return;
    for (size_t i = 0; i < b->limit; i++) pack_row_free(&b->row[i]);
    free(b);
}

/* The first open row whose gap is at least n; b->opens where there is none. */
static size_t find_gap(const pack_best_fit *b, uint64_t n)
{
    size_t low = 0, high = b->opens;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (b->open[mid] >> 12 < n) low = mid + 1;
        else high = mid;
    }
    return low;
}

/* Pad, write and close the i-th open row. */
static int close_row(packer *p, size_t i)
{
    pack_best_fit *b = p->open;
    uint16_t number = (uint16_t)(b->open[i] & (ROWS_MAX - 1));
    pack_row *r = &b->row[number];
    for (; r->fill < b->row_tokens; r->fill++) {
        if (b->width == 2) lm_put16(r->ids + 2 * r->fill, (uint16_t)p->o->pad);
        else lm_put32(r->ids + 4 * r->fill, p->o->pad);
    }
    int rc = pack_sink_row(&p->sink, r->ids, (const lm_span *)(const void *)r->spans.data,
                           r->spans.size / sizeof(lm_span));
    b->span_bytes -= r->spans.size;
    r->fill = 0;
    lm_buf_reset(&r->spans, SPANS_KEEP);
    memmove(b->open + i, b->open + i + 1, (b->opens - i - 1) * sizeof *b->open);
    b->opens--;
    b->idle[b->idles++] = number;
    return rc;
}

/* Open an empty row, last in the order of gaps. */
static int open_row(packer *p)
{
    pack_best_fit *b = p->open;
    int rc = b->idles ? LM_OK : close_row(p, 0);
    if (rc) return rc;
    uint16_t number = b->idle[b->idles - 1];
    pack_row *r = &b->row[number];
    if (!r->ids) rc = pack_row_new(r, b->row_tokens, b->width);
    if (rc) return rc;
    b->idles--;
    b->open[b->opens++] = b->row_tokens << 12 | number;
    return LM_OK;
}

/* Add n tokens of a unit, from its token `from` on, to a row. */
static int add_piece(packer *p, const lm_doc *d, const unsigned char *tokens, uint64_t from,
                     uint64_t n)
{
    pack_best_fit *b = p->open;
    int rc = LM_OK;
    while (b->span_bytes >= SPANS_MAX && !rc) rc = close_row(p, 0);
    size_t i = find_gap(b, n);
    if (!rc && i == b->opens) {
        rc = open_row(p);
        i = b->opens - 1;
    }
    if (rc) return rc;
    uint16_t number = (uint16_t)(b->open[i] & (ROWS_MAX - 1));
    rc = pack_row_add(&b->row[number], b->width, d, tokens + from * b->width, from, n);
    if (rc) return rc;
    b->span_bytes += sizeof(lm_span);

    uint64_t gap = (b->open[i] >> 12) - n;
    if (gap == 0) return close_row(p, i);
    /* Restore the order of gaps. */
    uint64_t key = gap << 12 | number;
    size_t to = find_gap(b, gap);
    while (to < i && b->open[to] < key) to++;
    memmove(b->open + to + 1, b->open + to, (i - to) * sizeof *b->open);
    b->open[to] = key;
    return LM_OK;
}

int pack_best_fit_unit(packer *p, const lm_doc *d, const void *tokens)
{
    pack_best_fit *b = p->open;
    int rc = LM_OK;
    p->at += d->tokens;
    if (p->marked && (p->current < p->first || p->current >= p->end))
        return LM_OK; /* of another part */
    if (!p->marked && b->shard_tokens &&
        b->shard_tokens + d->tokens > p->rows_a_shard * p->row_tokens) {
        rc = pack_best_fit_flush(p);
        if (!rc) rc = pack_sink_advance(&p->sink, p->sink.spec.number + 1, false, 0);
        b->shard_tokens = 0;
    }
    b->shard_tokens += d->tokens;
    for (uint64_t from = 0; from < d->tokens && !rc;) {
        uint64_t n = d->tokens - from < p->row_tokens ? d->tokens - from : p->row_tokens;
        rc = add_piece(p, d, tokens, from, n);
        from += n;
    }
    return rc;
}

int pack_best_fit_flush(packer *p)
{
    int rc = LM_OK;
    while (p->open->opens && !rc) rc = close_row(p, 0);
    if (!rc) all_idle(p->open);
    return rc;
}
