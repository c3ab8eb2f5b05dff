/* shuffle.c -- the shuffled mixture, from a store.
 *
 * The order is a hash, whose range is divided into bins (a shard is a whole number of bins). One
 * pass over the index counts units and tokens per bin, which gives each shard's first token. Then,
 * for as many bins as fit into the window, another pass collects their units by bin, each bin is
 * sorted, and fetch.c reads the documents. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/mix/shuffle.h"

enum {
    BINS_MIN = 1 << 18,
    WINDOW_UNITS = 2 << 20, /* 48 bytes each */
};

static uint64_t bin_of(const shuffle *m, uint64_t order) { return lm_scale(order, m->bins); }

/* ---- passes over the index --------------------------------------------------------------- */

static void count_unit(shuffle *m, const unit *u)
{
    uint64_t b = bin_of(m, u->order);
    m->units[b]++;
    m->tokens[b] += u->tokens;
}

static void fill_unit(shuffle *m, const unit *u)
{
    uint64_t b = bin_of(m, u->order);
    if (b < m->from || b >= m->to || m->fill[b] == m->count) return;
    m->window[m->fill[b]++] = *u;
    m->filled++;
}

static void each_unit(shuffle *m, const lm_entry *e, uint64_t number,
                      void (*visit)(shuffle *m, const unit *u))
{
    const lm_plan *p = m->p;
    lmmix_pick pick = lmmix_choose(&m->select, e->domain, e->key, e->tokens);
    for (unsigned c = 0; c <= pick.whole; c++) {
        uint64_t length = c < pick.whole ? e->tokens : pick.trimmed;
        uint64_t n = lmmix_units(p->cut, length);
        for (uint64_t i = 0; i < n; i++) {
            unit u = { .order = lm_hash4(p->order_seed, e->key, c, i),
                       .number = number,
                       .where = e->where,
                       .key = e->key,
                       .doc_tokens = (uint32_t)e->tokens,
                       .tokens = (uint32_t)lmmix_unit_at(p->cut, e->tokens, length, i).tokens,
                       .piece = (uint32_t)i,
                       .domain = e->domain,
                       .copy = (uint8_t)c,
                       .flags = c == pick.whole ? UNIT_TRIMMED : 0 };
            visit(m, &u);
        }
    }
}

typedef struct pass {
    shuffle *m;
    void (*visit)(shuffle *m, const unit *u);
} pass;

static int visit_document(void *arg, uint64_t number, const lm_entry *e)
{
    const pass *p = arg;
    if (e->tokens > UINT32_MAX)
        return lm_fail(LM_EDATA, "document %" PRIu64 " is too long", number);
    each_unit(p->m, e, number, p->visit);
    return LM_OK;
}

static int scan(shuffle *m, void (*visit)(shuffle *m, const unit *u))
{
    pass p = { m, visit };
    memset(m->select.ties, 0, m->p->strata * sizeof *m->select.ties);
    return lm_store_each(m->s, visit_document, &p);
}

/* ---- windows ----------------------------------------------------------------------------- */

static int by_order(const void *pa, const void *pb)
{
    const unit *a = pa, *b = pb;
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    if (a->number != b->number) return a->number < b->number ? -1 : 1;
    if (a->copy != b->copy) return a->copy < b->copy ? -1 : 1;
    return a->piece < b->piece ? -1 : a->piece > b->piece;
}

/* Drop the units after the last one that the part's overlap needs. */
static void end_overlap(shuffle *m)
{
    for (uint64_t i = 0; i < m->count; i++) {
        if (shuffle_shard(m, &m->window[i]) < m->end_shard) continue;
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
    m->filled = 0;
    if (!n) return LM_OK;
    m->window = malloc(n * sizeof *m->window);
    if (!m->window) return lm_fail_nomem(n * sizeof *m->window);
    rc = scan(m, fill_unit);
    if (!rc && m->filled != n)
        rc = lm_fail(LM_EDATA, "%s: changed while it was read", lm_store_name(m->s));
    if (rc) goto out;
    n = 0;
    for (uint64_t b = m->from; b < m->to; b++) {
        qsort(m->window + n, m->units[b], sizeof *m->window, by_order);
        n += m->units[b];
    }
    end_overlap(m);
    rc = lmmix_fetch(m);
out:
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
    uint64_t end = last_bin(m), max = m->o->window ? m->o->window : WINDOW_UNITS;
    int rc = LM_OK;
    m->shard = m->first_shard - 1; /* before the first one, whose mark is not yet written */
    for (m->to = m->first_shard * m->bins_a_shard; m->to < end && !rc;) {
        uint64_t units = 0;
        m->from = m->to;
        do units += m->units[m->to++]; /* at least one bin, however large */
        while (m->to < end && units + m->units[m->to] <= max);
        rc = emit_window(m);
    }
    return rc;
}

/* The marks of shards without later units, and the end of the mixture. */
static int emit_end(shuffle *m)
{
    lm_buf out = LM_BUF_INIT(MIX_RECORDS_MAX);
    int rc = LM_OK;
    for (uint64_t s = m->shard + 1; s <= m->end_shard && !rc; s++) rc = lmmix_mark(m, &out, s);
    /* The overlap may reach the end of the mixture, too. */
    if (!rc && m->overlap_left) rc = lmmix_mark(m, &out, m->p->shards);
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

/* ---- the run --------------------------------------------------------------------------- */

static int check_request(const lm_plan *p, const lm_store *s, const lm_mix_options *o)
{
    if (p->exact && p->source_hash != lm_store_hash(s))
        return lm_fail(LM_EUSAGE,
                       "%s: the plan was made from another store (content hash %016" PRIx64
                       ", this one's is %016" PRIx64 "); plan again",
                       lm_store_name(s), p->source_hash, lm_store_hash(s));
    if (o->part < 1 || o->part > o->parts)
        return lm_fail(LM_EUSAGE, "part %u of %u", o->part, o->parts);
    return LM_OK;
}

static int count_all(shuffle *m)
{
    int rc = scan(m, count_unit);
    if (rc) return rc;
    for (uint64_t b = 0; b < m->bins; b++) {
        if (b % m->bins_a_shard == 0)
            m->start[b / m->bins_a_shard + 1] = m->start[b / m->bins_a_shard];
        m->start[b / m->bins_a_shard + 1] += m->tokens[b];
    }
    uint64_t total = m->start[m->p->shards];
    if (m->p->exact && total != m->p->tokens)
        return lm_fail(LM_EDATA,
                       "the plan's thresholds give %" PRIu64 " tokens, not %" PRIu64 "; plan again",
                       total, m->p->tokens);
    return LM_OK;
}

int lm_mix_store(const lm_plan *p, lm_store *s, const lm_mix_options *o, const char *path)
{
    shuffle m = { .p = p, .s = s, .o = o, .width = lm_store_meta(s)->width };
    lm_json *header = NULL;
    int rc = check_request(p, s, o);
    if (rc) return rc;

    lm_plan_part(p, o->part, o->parts, &m.first_shard, &m.end_shard);
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
    if (!rc && o->progress)
        o->progress->total = (m.start[m.end_shard] - m.start[m.first_shard]) * m.width;
    if (!rc) rc = lm_store_writer_open(&m.w, path, header, LM_STORE_ONCE, NULL, NULL);
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
