/* fetch.c -- the units of a window, read by several threads and written in order.
 *
 * Documents are verified whole, so each piece of a long one would cost reading all of it. If a
 * window has several pieces of a document, their records are built at once and spooled to an
 * unlinked temporary file until their turn. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/io/output.h"
#include "longmix/zio.h"
#include "lib/mix/shuffle.h"

enum {
    AHEAD_UNITS = 8192,     /* prefetched ahead of the threads, ... */
    AHEAD_BYTES = 64 << 20, /* ... within both bounds */
    LARGE = 8 << 20,        /* documents of more bytes are read one at a time */
    SPOOL_PIECES = 4,       /* so many of one document in a window are spooled, ... */
    SPOOL_BYTES = 64 << 10, /* ... if it is larger than this */
};

int lmmix_mark(const shuffle *m, lm_buf *out, uint64_t shard)
{
    lm_record r = { .kind = LM_REC_SHARD, .shard = { shard, m->start[shard] } };
    return lm_record_add(out, m->width, &r);
}

/* ---- one unit ----------------------------------------------------------------------------- */

static lm_entry entry_of(const unit *u)
{
    return (
        lm_entry){ .key = u->key, .tokens = u->doc_tokens, .where = u->where, .domain = u->domain };
}

static lmmix_unit part_of(const shuffle *m, const unit *u)
{
    const lm_stratum *s = m->select.stratum[u->domain][lm_bucket(u->doc_tokens)];
    uint64_t length = u->flags & UNIT_TRIMMED ? s->trim : u->doc_tokens;
    return lmmix_unit_at(m->p->cut, u->doc_tokens, length, u->piece);
}

static unsigned flags_of(const shuffle *m, const unit *u)
{
    return shuffle_shard(m, u) >= m->end_shard ? LM_DOC_OVERLAP : 0;
}

/* Append the record of a unit of `doc`. */
static int add_unit(const shuffle *m, const unit *u, const lm_record *doc, lm_buf *out)
{
    lmmix_unit part = part_of(m, u);
    return lmmix_unit_add(out, m->width, doc, &part, u->copy, flags_of(m, u));
}

/* The record of a spooled unit. */
static int read_spooled(const shuffle *m, const unit *u, lm_buf *out)
{
    int rc = lm_buf_reserve(out, u->key);
    if (!rc)
        rc = lm_pread_all(m->spool, out->data + out->size, u->key, u->where,
                          "the temporary file of pieces");
    if (!rc) out->size += u->key;
    return rc;
}

/* Append the record of one unit; `in` is the thread's buffer for a document of several. */
static int fetch_unit(shuffle *m, const unit *u, lm_buf *in, lm_buf *out)
{
    if (u->flags & UNIT_SPOOLED) return read_spooled(m, u, out);
    lm_entry e = entry_of(u);
    lm_record doc;
    int rc;
    bool large = e.tokens * m->width > LARGE;
    if (large) lm_turns_enter(m->large);
    if (part_of(m, u).tokens == e.tokens) {
        rc = lm_store_copy(m->s, &e, u->copy, flags_of(m, u), out);
    } else {
        rc = lm_store_read(m->s, &e, in, &doc);
        if (!rc) rc = add_unit(m, u, &doc, out);
    }
    if (large) {
        lm_buf_reset(in, LARGE);
        lm_turns_leave(m->large);
    }
    return rc;
}

/* ---- pieces of one document at once -------------------------------------------------------- */

/* A unit of the window that is a piece of a document with several. */
typedef struct piece {
    uint64_t document, i; /* document: its number; i: in the window */
} piece;

static int by_document(const void *pa, const void *pb)
{
    const piece *a = pa, *b = pb;
    if (a->document != b->document) return a->document < b->document ? -1 : 1;
    return a->i < b->i ? -1 : a->i > b->i;
}

static int write_spool(shuffle *m, lm_buf *records)
{
    if (m->spool < 0) m->spool = lm_temporary_fd(NULL);
    int rc = m->spool < 0 ? m->spool : LM_OK;
    if (!rc)
        rc = lm_write_all(m->spool, records->data, records->size, "the temporary file of pieces");
    lm_buf_reset(records, 4 * MIX_BATCH);
    return rc;
}

/* Build and spool the records of n pieces of one document. */
static int spool(shuffle *m, const piece *p, size_t n, lm_buf *in, lm_buf *records)
{
    lm_entry e = entry_of(&m->window[p->i]);
    lm_record doc;
    int rc = lm_store_read(m->s, &e, in, &doc);
    for (size_t k = 0; k < n && !rc; k++) {
        unit *u = &m->window[p[k].i];
        size_t before = records->size;
        rc = add_unit(m, u, &doc, records);
        u->flags |= UNIT_SPOOLED;
        u->where = m->spool_bytes;
        u->key = records->size - before;
        m->spool_bytes += u->key;
        if (!rc && records->size >= MIX_BATCH) rc = write_spool(m, records);
    }
    lm_buf_reset(in, LARGE);
    return rc;
}

static bool has_pieces(const shuffle *m, const unit *u)
{
    return (uint64_t)u->doc_tokens * m->width > SPOOL_BYTES &&
           lmmix_units(m->p->cut, u->doc_tokens) >= SPOOL_PIECES;
}

static int spool_all(shuffle *m)
{
    lm_buf in = LM_BUF_INIT(MIX_RECORDS_MAX), records = LM_BUF_INIT(MIX_RECORDS_MAX);
    size_t n = 0, first = 0;
    int rc = LM_OK;
    for (uint64_t i = 0; i < m->count; i++) n += has_pieces(m, &m->window[i]);
    piece *p = malloc((n + 1) * sizeof *p);
    if (!p) return lm_fail_nomem((n + 1) * sizeof *p);
    n = 0;
    for (uint64_t i = 0; i < m->count; i++)
        if (has_pieces(m, &m->window[i])) p[n++] = (piece){ m->window[i].number, i };
    qsort(p, n, sizeof *p, by_document);
    for (size_t i = 1; i <= n && !rc; i++) {
        if (i < n && p[i].document == p[first].document) continue;
        rc = lm_check_interrupt();
        if (!rc && i - first >= SPOOL_PIECES) rc = spool(m, p + first, i - first, &in, &records);
        first = i;
    }
    if (!rc && records.size) rc = write_spool(m, &records);
    free(p);
    lm_buf_free(&in);
    lm_buf_free(&records);
    return rc;
}

/* ---- threads ---------------------------------------------------------------------- */

/* One thread's claim: units first .. end-1; `shard` is that of the unit before them. */
typedef struct claim {
    uint64_t first, end, shard, ticket;
} claim;

/* Prefetch documents some way ahead of the threads. */
static void prefetch(shuffle *m)
{
    while (m->ahead < m->count && m->ahead < m->next + AHEAD_UNITS &&
           m->ahead_bytes < AHEAD_BYTES) {
        const unit *u = &m->window[m->ahead++];
        lm_entry e = entry_of(u);
        if (!(u->flags & UNIT_SPOOLED)) lm_store_prefetch(m->s, &e);
        m->ahead_bytes += (uint64_t)u->tokens * m->width;
    }
}

/* Claim the next batch of units; false when there is none. */
static bool claim_units(shuffle *m, claim *c)
{
    uint64_t bytes = 0;
    lm_turns_enter(m->turns);
    *c = (claim){ .first = m->next, .end = m->next, .shard = m->shard };
    while (c->end < m->count && bytes < MIX_BATCH)
        bytes += (uint64_t)m->window[c->end++].tokens * m->width;
    if (c->end == c->first || lm_turns_stopped(m->turns)) {
        lm_turns_leave(m->turns);
        return false;
    }
    m->next = c->end;
    m->shard = shuffle_shard(m, &m->window[c->end - 1]);
    m->ahead_bytes -= bytes < m->ahead_bytes ? bytes : m->ahead_bytes;
    prefetch(m);
    c->ticket = lm_turns_claim(m->turns);
    return true;
}

static int fetch_batch(shuffle *m, const claim *c, lm_buf *in, lm_buf *out)
{
    uint64_t shard = c->shard;
    lm_buf_reset(out, 4 * MIX_BATCH);
    for (uint64_t i = c->first; i < c->end; i++) {
        const unit *u = &m->window[i];
        uint64_t now = shuffle_shard(m, u);
        int rc = LM_OK;
        /* Shards without units have marks, too; shards past the part's end have none. */
        while (shard != now && shard + 1 <= m->end_shard && !rc) rc = lmmix_mark(m, out, ++shard);
        shard = now;
        if (!rc) rc = fetch_unit(m, u, in, out);
        if (rc) return rc;
    }
    return LM_OK;
}

static int fetch_all(void *arg, int thread)
{
    shuffle *m = arg;
    lm_buf in = LM_BUF_INIT(MIX_RECORDS_MAX), out = LM_BUF_INIT(MIX_RECORDS_MAX);
    claim c;
    int rc = LM_OK;
    (void)thread;
    while (claim_units(m, &c)) {
        rc = lm_check_interrupt();
        if (!rc) rc = fetch_batch(m, &c, &in, &out);
        if (!rc && !lm_turns_wait(m->turns, c.ticket)) break;
        if (!rc) rc = lm_store_append(m->w, out.data, out.size);
        if (rc) break;
        lm_turns_done(m->turns, c.ticket);
        lm_progress_add(m->o->progress, out.size, c.end - c.first);
    }
    if (rc) lm_turns_stop(m->turns);
    lm_buf_free(&in);
    lm_buf_free(&out);
    return rc;
}

int lmmix_fetch(shuffle *m)
{
    m->next = m->ahead = m->ahead_bytes = m->spool_bytes = 0;
    m->spool = -1;
    int rc = spool_all(m);
    if (!rc) rc = lm_turns_new(&m->turns);
    if (!rc) rc = lm_parallel(m->o->threads, fetch_all, m);
    lm_turns_free(m->turns);
    m->turns = NULL;
    if (m->spool >= 0) close(m->spool);
    return rc;
}
