/* The mixture shuffled, from a store.
 *
 * The order is a hash, so the order's range is cut into bins (whole numbers of them make a shard).
 * One pass over the index counts units and tokens by bin, which gives each shard's first token;
 * then, for as many bins as fit the window, another pass puts their units straight into their
 * places, each bin is sorted, and threads fetch the documents and hand them on in turn. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/rng.h"
#include "longmix/threads.h"
#include "mix_internal.h"

enum { BINS_MIN = 1 << 18,
       WINDOW_UNITS = 5 << 19,     /* 40 bytes each */
       AHEAD_UNITS = 8192,         /* asked for ahead of the threads, ... */
       AHEAD_BYTES = 64 << 20,     /* ... both bounds hold */
       LARGE = 8 << 20 };          /* documents of more bytes are fetched one at a time */

/* A unit, and all that is needed to fetch it: an entry of the index alone would cost a whole block. */
typedef struct unit {
    uint64_t order;
    uint64_t where, key;   /* the document's, as in lm_entry */
    uint32_t doc_tokens, tokens;
    uint32_t piece;
    uint16_t domain;
    uint8_t copy, trimmed;
} unit;

typedef struct shuffle {
    const lm_plan *p;
    lm_store *s;
    const lm_mix_options *o;
    lmmix_select select;
    unsigned width;
    uint64_t bins, bins_a_shard;
    uint64_t *units, *tokens;      /* [bins] of the whole mixture */
    uint64_t *start;               /* [shards + 1] number of each shard's first token in it */
    uint64_t first_shard, end_shard;
    uint64_t overlap_left;         /* tokens that are still to follow the part's own */

    /* The window: bins from .. to-1. */
    uint64_t from, to;
    uint64_t *fill;                /* [bins] where the next unit of the bin goes */
    unit *window;
    uint64_t count, placed;        /* units that it has; that the pass has met */

    /* What the threads share, under the lock of `turns`. */
    lm_turns *turns, *large;       /* large: taken to fetch a large document */
    uint64_t next, ahead, ahead_bytes;
    uint64_t shard;                /* of the last unit claimed */
    lm_store_writer *w;
} shuffle;

/* One thread's claim: units first .. end-1; `shard` is that of the unit before them. */
typedef struct claim {
    uint64_t first, end, shard, ticket;
} claim;

static uint64_t bin_of(const shuffle *m, uint64_t order) { return (uint64_t)(((u128)order * m->bins) >> 64); }

/* ---- passes over the index --------------------------------------------------------------- */

static void count_unit(shuffle *m, const unit *u)
{
    uint64_t b = bin_of(m, u->order);
    m->units[b]++;
    m->tokens[b] += u->tokens;
}

static void place_unit(shuffle *m, const unit *u)
{
    uint64_t b = bin_of(m, u->order);
    if (b < m->from || b >= m->to || m->fill[b] == m->count) return;
    m->window[m->fill[b]++] = *u;
    m->placed++;
}

static void each_unit(shuffle *m, const lm_entry *e, void (*visit)(shuffle *m, const unit *u))
{
    const lm_plan *p = m->p;
    lmmix_pick pick = lmmix_choose(&m->select, e->domain, e->key, e->tokens);
    for (unsigned c = 0; c <= pick.whole; c++) {
        uint64_t length = c < pick.whole ? e->tokens : pick.trimmed;
        uint64_t n = lmmix_units(p->cut, length);
        for (uint64_t i = 0; i < n; i++) {
            unit u = { .order = lm_mix(p->order_seed, e->key, c, i), .where = e->where, .key = e->key,
                       .doc_tokens = (uint32_t)e->tokens,
                       .tokens = (uint32_t)lmmix_unit_at(p->cut, e->tokens, length, i).tokens,
                       .piece = (uint32_t)i, .domain = e->domain, .copy = (uint8_t)c,
                       .trimmed = c == pick.whole };
            visit(m, &u);
        }
    }
}

static int scan(shuffle *m, void (*visit)(shuffle *m, const unit *u))
{
    uint64_t n = lm_store_documents(m->s);
    lm_entry *e = malloc(LM_ENTRIES_MAX * sizeof *e);
    int rc = LM_OK;
    if (!e) return lm_fail_nomem(LM_ENTRIES_MAX * sizeof *e);
    memset(m->select.ties, 0, m->p->strata * sizeof *m->select.ties);
    for (uint64_t at = 0; at < n && !rc; at += LM_ENTRIES_MAX) {
        size_t k = n - at < LM_ENTRIES_MAX ? (size_t)(n - at) : LM_ENTRIES_MAX;
        rc = lm_interrupted() ? lm_fail(LM_EINTR, "interrupted") : lm_store_entries(m->s, at, k, e);
        for (size_t i = 0; i < k && !rc; i++) {
            if (e[i].tokens > UINT32_MAX) rc = lm_fail(LM_EDATA, "document %" PRIu64 " is too long", at + i);
            else each_unit(m, &e[i], visit);
        }
    }
    free(e);
    return rc;
}

/* ---- what threads do --------------------------------------------------------------------- */

static uint64_t shard_of(const shuffle *m, const unit *u)
{
    return (uint64_t)(((u128)u->order * m->p->shards) >> 64);
}

static int add_mark(const shuffle *m, lm_buf *out, uint64_t shard)
{
    lm_record r = { .kind = LM_REC_SHARD, .shard = { shard, m->start[shard] } };
    return lm_record_add(out, m->width, &r);
}

static lm_entry entry_of(const unit *u)
{
    return (lm_entry){ .key = u->key, .tokens = u->doc_tokens, .where = u->where, .domain = u->domain };
}

/* Ask for documents some way ahead of the threads. */
static void prefetch(shuffle *m)
{
    while (m->ahead < m->count && m->ahead < m->next + AHEAD_UNITS && m->ahead_bytes < AHEAD_BYTES) {
        const unit *u = &m->window[m->ahead++];
        lm_entry e = entry_of(u);
        lm_store_prefetch(m->s, &e);
        m->ahead_bytes += (uint64_t)u->tokens * m->width;
    }
}

/* Claim the next batch of units; false when there is none. */
static bool claim_units(shuffle *m, claim *c)
{
    uint64_t bytes = 0;
    lm_turns_enter(m->turns);
    *c = (claim){ .first = m->next, .end = m->next, .shard = m->shard };
    while (c->end < m->count && bytes < MIX_BATCH) bytes += (uint64_t)m->window[c->end++].tokens * m->width;
    if (c->end == c->first || lm_turns_stopped(m->turns)) {
        lm_turns_leave(m->turns);
        return false;
    }
    m->next = c->end;
    m->shard = shard_of(m, &m->window[c->end - 1]);
    m->ahead_bytes -= bytes < m->ahead_bytes ? bytes : m->ahead_bytes;
    prefetch(m);
    c->ticket = lm_turns_claim(m->turns);
    return true;
}

/* Append the record of one unit; `in` is the thread's buffer for the document. */
static int fetch_unit(shuffle *m, const unit *u, lm_buf *in, lm_buf *out)
{
    const lm_plan *p = m->p;
    lm_entry e = entry_of(u);
    lm_record doc;
    bool large = e.tokens * m->width > LARGE;
    if (large) lm_turns_enter(m->large);
    int rc = lm_store_read(m->s, &e, in, &doc);
    if (!rc) {
        uint64_t length = u->trimmed ? m->select.stratum[e.domain][lm_bucket(e.tokens)]->trim : e.tokens;
        lmmix_unit part = lmmix_unit_at(p->cut, e.tokens, length, u->piece);
        rc = lmmix_unit_add(out, m->width, &doc, &part, u->copy,
                            shard_of(m, u) >= m->end_shard ? LM_DOC_OVERLAP : 0);
    }
    if (large) {
        lm_buf_reset(in, LARGE);
        lm_turns_leave(m->large);
    }
    return rc;
}

static int fetch_batch(shuffle *m, const claim *c, lm_buf *in, lm_buf *out)
{
    uint64_t shard = c->shard;
    lm_buf_reset(out, 4 * MIX_BATCH);
    for (uint64_t i = c->first; i < c->end; i++) {
        const unit *u = &m->window[i];
        uint64_t now = shard_of(m, u);
        int rc = LM_OK;
        /* Shards without units have their marks too; past the part's end there are none. */
        while (shard != now && shard + 1 <= m->end_shard && !rc) rc = add_mark(m, out, ++shard);
        shard = now;
        if (!rc) rc = fetch_unit(m, u, in, out);
        if (rc) return rc;
    }
    return LM_OK;
}

static int work(void *arg, int thread)
{
    shuffle *m = arg;
    lm_buf in = LM_BUF_INIT(MIX_RECORDS_MAX), out = LM_BUF_INIT(MIX_RECORDS_MAX);
    claim c;
    int rc = LM_OK;
    (void)thread;
    while (claim_units(m, &c)) {
        rc = lm_interrupted() ? lm_fail(LM_EINTR, "interrupted") : fetch_batch(m, &c, &in, &out);
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

/* ---- windows ----------------------------------------------------------------------------- */

static int by_order(const void *pa, const void *pb)
{
    const unit *a = pa, *b = pb;
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    if (a->where != b->where) return a->where < b->where ? -1 : 1;
    if (a->copy != b->copy) return a->copy < b->copy ? -1 : 1;
    return a->piece < b->piece ? -1 : a->piece > b->piece;
}

/* Drop what follows the last unit that the part's overlap needs. */
static void end_overlap(shuffle *m)
{
    for (uint64_t i = 0; i < m->count; i++) {
        if (shard_of(m, &m->window[i]) < m->end_shard) continue;
        if (!m->overlap_left) {
            m->count = i;
            return;
        }
        uint64_t n = m->window[i].tokens;
        m->overlap_left -= n < m->overlap_left ? n : m->overlap_left;
    }
}

/* Emit the units of bins from .. to-1. */
static int emit_window(shuffle *m)
{
    uint64_t n = 0;
    int rc;
    for (uint64_t b = m->from; b < m->to; b++) {
        m->fill[b] = n;
        n += m->units[b];
    }
    m->count = n;
    m->placed = 0;
    if (!n) return LM_OK;
    m->window = malloc(n * sizeof *m->window);
    if (!m->window) return lm_fail_nomem(n * sizeof *m->window);
    rc = scan(m, place_unit);
    if (!rc && m->placed != n) rc = lm_fail(LM_EDATA, "%s: changed while it was read", lm_store_name(m->s));
    if (rc) goto out;
    n = 0;
    for (uint64_t b = m->from; b < m->to; b++) {
        qsort(m->window + n, m->units[b], sizeof *m->window, by_order);
        n += m->units[b];
    }
    end_overlap(m);
    m->next = m->ahead = m->ahead_bytes = 0;
    rc = lm_turns_new(&m->turns);
    if (!rc) rc = lm_parallel(m->o->threads, work, m);
out:
    lm_turns_free(m->turns);
    m->turns = NULL;
    free(m->window);
    m->window = NULL;
    return rc;
}

/* The bin after the last that holds units of the part or of its overlap. */
static uint64_t last_bin(const shuffle *m)
{
    uint64_t b = m->end_shard * m->bins_a_shard, sum = 0;
    while (b < m->bins && sum < m->overlap_left) sum += m->tokens[b++];
    return b;
}

static int emit(shuffle *m)
{
    uint64_t end = last_bin(m), most = m->o->window ? m->o->window : WINDOW_UNITS;
    int rc = LM_OK;
    m->shard = m->first_shard - 1; /* before the first one: its mark is still to come */
    for (m->to = m->first_shard * m->bins_a_shard; m->to < end && !rc;) {
        uint64_t units = 0;
        m->from = m->to;
        do units += m->units[m->to++]; /* one bin is taken, however many it has */
        while (m->to < end && units + m->units[m->to] <= most);
        rc = emit_window(m);
    }
    return rc;
}

/* The marks that no unit brought about, and the end of the mixture. */
static int emit_end(shuffle *m)
{
    lm_buf out = LM_BUF_INIT(MIX_RECORDS_MAX);
    int rc = LM_OK;
    for (uint64_t s = m->shard + 1; s <= m->end_shard && !rc; s++) rc = add_mark(m, &out, s);
    /* The overlap, too, may have come to the end of the mixture. */
    if (!rc && m->overlap_left) rc = add_mark(m, &out, m->p->shards);
    if (!rc) rc = lm_store_append(m->w, out.data, out.size);
    lm_buf_free(&out);
    return rc;
}

static int add_file(void *arg, const lm_file_end *f)
{
    shuffle *m = arg;
    lm_buf out = LM_BUF_INIT(MIX_RECORDS_MAX);
    lm_record r = { .kind = LM_REC_FILE, .file = *f };
    int rc = lm_record_add(&out, m->width, &r);
    if (!rc) rc = lm_store_append(m->w, out.data, out.size);
    lm_buf_free(&out);
    return rc;
}

/* ---- the whole --------------------------------------------------------------------------- */

static int check_request(const lm_plan *p, const lm_store *s, const lm_mix_options *o)
{
    if (p->exact && p->source_hash != lm_store_hash(s))
        return lm_fail(LM_EUSAGE, "%s: the plan was made from another store (content %016" PRIx64 ", this one's "
                       "is %016" PRIx64 "); plan again", lm_store_name(s), p->source_hash, lm_store_hash(s));
    if (o->part < 1 || o->part > o->parts) return lm_fail(LM_EUSAGE, "part %u of %u", o->part, o->parts);
    return LM_OK;
}

static int count_all(shuffle *m)
{
    int rc = scan(m, count_unit);
    if (rc) return rc;
    for (uint64_t b = 0; b < m->bins; b++) {
        if (b % m->bins_a_shard == 0) m->start[b / m->bins_a_shard + 1] = m->start[b / m->bins_a_shard];
        m->start[b / m->bins_a_shard + 1] += m->tokens[b];
    }
    uint64_t total = m->start[m->p->shards];
    if (m->p->exact && total != m->p->tokens)
        return lm_fail(LM_EDATA, "the plan's thresholds give %" PRIu64 " tokens, not %" PRIu64 "; plan again",
                       total, m->p->tokens);
    return LM_OK;
}

int lm_mix_store(const lm_plan *p, lm_store *s, const lm_mix_options *o, const char *path)
{
    shuffle m = { .p = p, .s = s, .o = o, .width = lm_store_meta(s)->width };
    lm_json *header = NULL;
    int rc = check_request(p, s, o);
    if (rc) return rc;

    m.first_shard = (uint64_t)(((u128)(o->part - 1) * p->shards) / o->parts);
    m.end_shard = (uint64_t)(((u128)o->part * p->shards) / o->parts);
    if (m.first_shard < m.end_shard && m.end_shard < p->shards) m.overlap_left = p->row + 1;
    m.bins_a_shard = (BINS_MIN + p->shards - 1) / p->shards;
    m.bins = p->shards * m.bins_a_shard;
    rc = lmmix_header(&header, lm_store_meta(s), p, o->part, o->parts);
    if (!rc) rc = lmmix_select_init(&m.select, p, lm_store_meta(s));
    if (!rc) rc = lm_turns_new(&m.large);
    if (rc) goto out;
    m.units = calloc(m.bins, sizeof *m.units);
    m.tokens = calloc(m.bins, sizeof *m.tokens);
    m.fill = calloc(m.bins, sizeof *m.fill);
    m.start = calloc(p->shards + 1, sizeof *m.start);
    if (!m.units || !m.tokens || !m.fill || !m.start) {
        rc = lm_fail_nomem(4 * m.bins * sizeof *m.units);
        goto out;
    }
    rc = count_all(&m);
    if (!rc && o->progress) o->progress->total = (m.start[m.end_shard] - m.start[m.first_shard]) * m.width;
    if (!rc) rc = lm_store_writer_open(&m.w, path, header, false, NULL, NULL);
    if (!rc) rc = lm_store_files(s, add_file, &m);
    if (!rc) rc = emit(&m);
    if (!rc) rc = emit_end(&m);
    if (!rc) {
        rc = lm_store_finish(m.w);
        m.w = NULL;
    }
out:
    lm_store_leave(m.w);
    lm_json_free(header);
    lm_turns_free(m.large);
    lmmix_select_free(&m.select);
    free(m.units);
    free(m.tokens);
    free(m.fill);
    free(m.start);
    return rc;
}
