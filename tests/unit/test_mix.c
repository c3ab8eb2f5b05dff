/* Mixtures: exactly the units that the plan selects, in hash order, the same from any number of
 * threads, parts, and pipes. */
#include <unistd.h>

#include "longmix/hist.h"
#include "longmix/mix.h"
#include "mixture.h"

static synth_doc *docs;
static size_t n_docs;

/* One unit or mark of a mixture. */
typedef struct item {
    lm_record r; /* tokens are not kept */
    uint64_t order;
    uint64_t content; /* a hash of its tokens */
} item;

typedef struct items {
    item *v;
    size_t n;
} items;

static items read_all(const char *path, const lm_plan *p)
{
    items out = { NULL, 0 };
    lm_stream *s = NULL;
    lm_record r;
    int rc;
    size_t room = 0;
    NEED(lm_stream_open(&s, path) == 0);
    CHECK(lm_stream_meta(s)->plan != NULL);
    while ((rc = lm_stream_next(s, &r)) == 1) {
        if (out.n == room) NEED(out.v = realloc(out.v, (room = room * 2 + 1024) * sizeof *out.v));
        item *i = &out.v[out.n++];
        *i = (item){ .r = r };
        if (r.kind != LM_REC_DOC) continue;
        uint64_t piece = p->cut ? r.doc.start / p->cut : 0;
        i->order = lm_hash4(p->order_seed, r.doc.key, r.doc.copy, piece);
        const unsigned char *t = r.tokens;
        bool same = true;
        for (uint64_t k = 0; k < r.doc.tokens; k++) {
            uint16_t v = lm_le16(t + 2 * k);
            same &= v == synth_token(r.doc.key, r.doc.start + k);
            i->content = lm_mix64(i->content ^ v);
        }
        CHECK(same);
        i->r.tokens = NULL;
    }
    NEED(rc == 0);
    lm_stream_close(s);
    return out;
}

static bool file_equal(const char *a, const char *b)
{
    FILE *fa = fopen(a, "rb"), *fb = fopen(b, "rb");
    NEED(fa && fb);
    int ca, cb;
    do ca = getc(fa), cb = getc(fb);
    while (ca == cb && ca != EOF);
    fclose(fa);
    fclose(fb);
    return ca == cb;
}

static int mix(const lm_plan *p, const char *store, uint32_t part, uint32_t parts, int threads,
               const char *out)
{
    lm_store *s = NULL;
    NEED(lm_store_open(&s, store) == 0);
    lm_mix_options o = { .part = part, .parts = parts, .threads = threads };
    int rc = lm_mix_store(p, s, &o, out);
    lm_store_close(s);
    return rc;
}

static int mix_pipe(const lm_plan *p, const char *store, const char *out)
{
    lm_stream *s = NULL;
    NEED(lm_stream_open(&s, store) == 0);
    lm_mix_options o = { .part = 1, .parts = 1, .threads = 1 };
    int rc = lm_mix_stream(p, s, &o, out);
    lm_stream_close(s);
    return rc;
}

static void plan(lm_plan *p, const char *recipe, lm_plan_options o, const char *store)
{
    lm_recipe r;
    lm_store *s = NULL;
    NEED(lm_recipe_load(&r, recipe_path(recipe)) == 0);
    NEED(lm_store_open(&s, store) == 0);
    NEED(lm_plan_from_store(p, &r, &o, s) == 0);
    lm_store_close(s);
    lm_recipe_free(&r);
}

/* ---- the whole mixture ------------------------------------------------------------------- */

static void check_units(const lm_plan *p, const items *m)
{
    uint64_t *of_stratum = calloc(p->strata, sizeof *of_stratum),
             *trims = calloc(p->strata, sizeof *trims);
    NEED(of_stratum && trims);
    for (size_t i = 0; i < m->n; i++) {
        const lm_doc *d = &m->v[i].r.doc;
        if (m->v[i].r.kind != LM_REC_DOC) continue;
        size_t pd = 0;
        while (strcmp(p->domain[pd].name, synth_name[d->domain])) pd++;
        const lm_stratum *s = lm_plan_stratum(p, pd, d->doc_tokens);
        NEED(s);
        of_stratum[s - p->stratum] += d->tokens;
        CHECK(!p->cut || d->unit_tokens <= p->cut);
        CHECK(p->cut ? d->start % p->cut == 0 : d->start == 0);
        CHECK(d->start + d->unit_tokens <= d->doc_tokens);
        CHECK(d->unit_tokens == d->doc_tokens || d->unit_tokens == p->cut ||
              d->start + d->unit_tokens == d->doc_tokens);
        CHECK((d->flags == LM_DOC_TRIMMED) == (d->tokens < d->unit_tokens));
        CHECK(d->copy <= s->copies);
        trims[s - p->stratum] += d->flags == LM_DOC_TRIMMED;
    }
    for (size_t k = 0; k < p->strata; k++) {
        CHECK_EQ(of_stratum[k], p->stratum[k].tokens);
        CHECK(trims[k] <= 1);
    }
    free(of_stratum);
    free(trims);
}

static void check_order(const lm_plan *p, const items *m)
{
    uint64_t at = 0, shard = 0;
    const item *before = NULL;
    CHECK(m->n && m->v[0].r.kind == LM_REC_FILE);
    for (size_t i = 1; i < m->n; i++) {
        const item *it = &m->v[i];
        if (it->r.kind == LM_REC_SHARD) {
            CHECK_EQ(it->r.shard.shard, shard);
            CHECK_EQ(it->r.shard.start, at);
            shard++;
            continue;
        }
        NEED(it->r.kind == LM_REC_DOC);
        const lm_doc *d = &it->r.doc, *b = before ? &before->r.doc : NULL;
        CHECK(!b || before->order <= it->order);
        /* Equal orders: the earlier document first. */
        CHECK(!b || before->order != it->order || b->line < d->line);
        __extension__ unsigned __int128 x = (unsigned __int128)it->order * p->shards;
        CHECK_EQ((uint64_t)(x >> 64) + 1, shard);
        at += d->tokens;
        before = it;
    }
    CHECK_EQ(shard, p->shards + 1);
    CHECK_EQ(at, p->tokens);
}

static int by_identity(const void *pa, const void *pb)
{
    const item *a = pa, *b = pb;
    const uint64_t ka[] = { a->r.kind, a->r.doc.key, a->r.doc.line, a->r.doc.copy, a->r.doc.start },
                   kb[] = { b->r.kind, b->r.doc.key, b->r.doc.line, b->r.doc.copy, b->r.doc.start };
    for (size_t i = 0; i < 5; i++)
        if (ka[i] != kb[i]) return ka[i] < kb[i] ? -1 : 1;
    return 0;
}

static bool same_item(const item *a, const item *b)
{
    const lm_doc *x = &a->r.doc, *y = &b->r.doc;
    if (a->r.kind != b->r.kind) return false;
    if (a->r.kind == LM_REC_SHARD)
        return a->r.shard.shard == b->r.shard.shard && a->r.shard.start == b->r.shard.start;
    return a->r.kind != LM_REC_DOC ||
           (x->key == y->key && x->line == y->line && x->copy == y->copy && x->start == y->start &&
            x->tokens == y->tokens && x->unit_tokens == y->unit_tokens && x->domain == y->domain &&
            (x->flags & LM_DOC_TRIMMED) == (y->flags & LM_DOC_TRIMMED) && a->content == b->content);
}

/* The pipe gives the same units, in order of arrival. */
static void check_pipe(const lm_plan *p, const items *whole)
{
    NEED(mix_pipe(p, "store.lmt", "pipe.lmt") == 0);
    items m = read_all("pipe.lmt", p);
    items w = { calloc(whole->n, sizeof *w.v), 0 };
    NEED(w.v);
    uint64_t line = 0;
    for (size_t i = 0; i < m.n; i++) {
        CHECK(m.v[i].r.kind != LM_REC_SHARD);
        if (m.v[i].r.kind != LM_REC_DOC) continue;
        CHECK(line <= m.v[i].r.doc.line);
        line = m.v[i].r.doc.line;
    }
    for (size_t i = 0; i < whole->n; i++)
        if (whole->v[i].r.kind != LM_REC_SHARD) w.v[w.n++] = whole->v[i];
    CHECK_EQ(m.n, w.n);
    qsort(m.v, m.n, sizeof *m.v, by_identity);
    qsort(w.v, w.n, sizeof *w.v, by_identity);
    for (size_t i = 0; i < m.n && i < w.n; i++) CHECK(same_item(&m.v[i], &w.v[i]));
    free(m.v);
    free(w.v);
}

/* The concatenated parts, without their overlap, equal the whole mixture. */
static void check_parts(const lm_plan *p, const items *whole, uint32_t parts)
{
    size_t at = 1; /* after the FILE record, which every part has */
    for (uint32_t k = 1; k <= parts; k++) {
        NEED(mix(p, "store.lmt", k, parts, 2, "part.lmt") == 0);
        items m = read_all("part.lmt", p);
        uint64_t first = (uint64_t)(k - 1) * p->shards / parts,
                 end = (uint64_t)k * p->shards / parts;
        uint64_t overlap = 0;
        size_t over = at;
        bool last_mark = false;
        CHECK(m.n > 1 && m.v[0].r.kind == LM_REC_FILE);
        for (size_t i = 1; i < m.n; i++) {
            const item *it = &m.v[i];
            bool extra = it->r.kind == LM_REC_DOC && it->r.doc.flags & LM_DOC_OVERLAP;
            if (it->r.kind == LM_REC_SHARD && it->r.shard.shard == end) {
                /* The mark that ends this part starts the next one. */
                CHECK(same_item(it, &whole->v[at]));
                over = at + 1;
            } else if (it->r.kind == LM_REC_SHARD && it->r.shard.shard > end) {
                CHECK_EQ(it->r.shard.shard, p->shards);
                CHECK_EQ(it->r.shard.start, p->tokens);
                CHECK_EQ(i, m.n - 1);
                last_mark = true;
            } else if (extra) {
                while (whole->v[over].r.kind == LM_REC_SHARD) over++;
                CHECK(overlap < p->row + 1);
                CHECK(same_item(it, &whole->v[over++]));
                overlap += it->r.doc.tokens;
            } else {
                if (it->r.kind == LM_REC_SHARD) CHECK(it->r.shard.shard >= first);
                CHECK(same_item(it, &whole->v[at++]));
            }
        }
        if (first < end && end < p->shards) CHECK(overlap >= p->row + 1 || last_mark);
        else CHECK(overlap == 0 && !last_mark);
        free(m.v);
    }
    CHECK_EQ(at, whole->n - 1); /* all but the mixture's end */
}

static void test_mixture(const char *recipe, lm_plan_options o)
{
    lm_plan p;
    plan(&p, recipe, o, "store.lmt");
    NEED(mix(&p, "store.lmt", 1, 1, 1, "whole.lmt") == 0);
    items m = read_all("whole.lmt", &p);
    check_units(&p, &m);
    check_order(&p, &m);
    check_pipe(&p, &m);
    check_parts(&p, &m, 1);
    check_parts(&p, &m, 3);
    check_parts(&p, &m, 11);
    for (int threads = 2; threads <= 4; threads += 2) {
        NEED(mix(&p, "store.lmt", 1, 1, threads, "again.lmt") == 0);
        CHECK(file_equal("whole.lmt", "again.lmt"));
    }
    /* Windows of few units at a time, and of one bin. */
    for (uint64_t window = 1; window <= 1000; window += 333) {
        lm_store *s = NULL;
        lm_mix_options few = { .part = 1, .parts = 1, .threads = 2, .window = window + m.n / 50 };
        NEED(lm_store_open(&s, "store.lmt") == 0);
        NEED(lm_mix_store(&p, s, &few, "again.lmt") == 0);
        CHECK(file_equal("whole.lmt", "again.lmt"));
        lm_store_close(s);
    }
    CHECK_OK(lm_store_check("whole.lmt", false));
    free(m.v);
    lm_plan_free(&p);
}

/* A document used three times whole and once more in part. */
static void test_copies(void)
{
    const synth_doc one[] = { { 77, 1000, 4 }, { 78, 300, 4 } };
    lm_plan p;
    lm_recipe r;
    lm_json *j = NULL;
    lm_store *s = NULL;
    const char *text = "{\"name\": \"x\", \"max_copies\": 4, \"when_short\": \"repeat\"}";
    synth_write("one.lmt", one, 2);
    NEED(lm_json_parse(&j, text, strlen(text), "x") == 0 && lm_recipe_from_json(&r, j) == 0);
    NEED(lm_store_open(&s, "one.lmt") == 0);
    NEED(lm_plan_from_store(&p, &r, &(lm_plan_options){ .tokens = 3900 + 1300 - 1 }, s) == 0);
    lm_store_close(s);
    NEED(mix(&p, "one.lmt", 1, 1, 1, "copies.lmt") == 0);
    items m = read_all("copies.lmt", &p);
    check_units(&p, &m);
    uint64_t seen[4] = { 0 };
    for (size_t i = 0; i < m.n; i++)
        if (m.v[i].r.kind == LM_REC_DOC) seen[m.v[i].r.doc.copy] += m.v[i].r.doc.tokens;
    CHECK_EQ(seen[0], 1300);
    CHECK_EQ(seen[2], 1300);
    CHECK_EQ(seen[3], 1299);
    free(m.v);
    lm_plan_free(&p);
    lm_recipe_free(&r);
}

static void test_refusals(void)
{
    lm_plan p;
    plan(&p, "cut-128k", (lm_plan_options){ .tokens = 100000, .row = 1024 }, "store.lmt");
    synth_write("other.lmt", docs, n_docs / 2);
    CHECK_EQ(mix(&p, "other.lmt", 1, 1, 1, "no.lmt"), LM_EUSAGE);
    CHECK(strstr(lm_err(), "another store"));
    CHECK_EQ(mix_pipe(&p, "other.lmt", "no.lmt"), LM_EUSAGE);
    CHECK(strstr(lm_err(), "another store"));
    CHECK(access("no.lmt", F_OK) != 0);
    CHECK_EQ(mix(&p, "store.lmt", 3, 2, 1, "no.lmt"), LM_EUSAGE);

    NEED(mix(&p, "store.lmt", 1, 1, 1, "whole.lmt") == 0);
    CHECK_EQ(mix_pipe(&p, "whole.lmt", "no.lmt"), LM_EUSAGE);
    CHECK(strstr(lm_err(), "the input is a mixture"));
    lm_store *s = NULL;
    lm_stream *in = NULL;
    lm_recipe r;
    lm_plan q;
    NEED(lm_store_open(&s, "whole.lmt") == 0);
    NEED(lm_recipe_load(&r, recipe_path("cut-128k")) == 0);
    CHECK_EQ(lm_plan_from_store(&q, &r, &(lm_plan_options){ .tokens = 100 }, s), LM_EUSAGE);
    lm_store_close(s);
    lm_recipe_free(&r);

    NEED(lm_stream_open(&in, "store.lmt") == 0);
    CHECK_EQ(
        lm_mix_stream(&p, in, &(lm_mix_options){ .part = 1, .parts = 2, .threads = 1 }, "no.lmt"),
        LM_EUSAGE);
    lm_stream_close(in);

    /* Thresholds that do not match the plan's token counts. */
    p.stratum[0].threshold /= 2;
    CHECK_EQ(mix(&p, "store.lmt", 1, 1, 1, "no.lmt"), LM_EDATA);
    lm_plan_free(&p);
}

/* A plan from a histogram selects the same from store and pipe, close to its total. */
static void test_histogram(void)
{
    lm_hist *h = NULL;
    lm_json *hist = NULL;
    lm_recipe r;
    lm_plan p;
    NEED(lm_hist_new(&h, "tokens", synth_name, SYNTH_DOMAINS) == 0);
    for (size_t i = 0; i < n_docs; i++)
        NEED(lm_hist_add(h, docs[i].domain, docs[i].tokens, docs[i].tokens) == 0);
    NEED(lm_hist_to_json(h, &hist) == 0);
    NEED(lm_recipe_load(&r, recipe_path("cut-4k")) == 0);
    NEED(lm_plan_from_hist(&p, &r, &(lm_plan_options){ .tokens = 500000, .row = 1024 }, hist) == 0);
    NEED(mix(&p, "store.lmt", 1, 1, 2, "whole.lmt") == 0);
    items m = read_all("whole.lmt", &p);
    uint64_t tokens = 0;
    for (size_t i = 0; i < m.n; i++)
        if (m.v[i].r.kind == LM_REC_DOC) tokens += m.v[i].r.doc.tokens;
    CHECK(tokens > 300000 && tokens < 700000);
    check_pipe(&p, &m);
    free(m.v);
    lm_plan_free(&p);
    lm_recipe_free(&r);
    lm_json_free(hist);
    lm_hist_free(h);
}

/* ---- format stability -------------------------------------------------------------------- */

static void write_list(const items *m, const char *path)
{
    FILE *f = fopen(path, "w");
    NEED(f);
    for (size_t i = 0; i < m->n; i++) {
        const lm_record *r = &m->v[i].r;
        if (r->kind == LM_REC_SHARD)
            fprintf(f, "shard %" PRIu64 " from %" PRIu64 "\n", r->shard.shard, r->shard.start);
        else if (r->kind == LM_REC_DOC)
            fprintf(f,
                    "%016" PRIx64 " domain %u copy %u from %" PRIu64 ": %" PRIu64 " of %" PRIu64
                    " of %" PRIu64 "%s\n",
                    r->doc.key, r->doc.domain, r->doc.copy, r->doc.start, r->doc.tokens,
                    r->doc.unit_tokens, r->doc.doc_tokens,
                    r->doc.flags & LM_DOC_TRIMMED ? " trimmed" : "");
    }
    NEED(fclose(f) == 0);
}

/* The test vectors of docs/determinism.md, and the units that a plan of version 1 selects. A
 * change here changes the mixture of every existing plan. */
static void test_golden(void)
{
    char store[4096], plan_path[4096], list[4096];
    const char *src = getenv("LM_SRC");
    const uint64_t most = UINT64_MAX;
    lm_plan p;
    CHECK_EQ(lm_hash4(0, 0, 0, 0), 0x2130748aaac80268);
    CHECK_EQ(lm_hash4(1, 2, 3, 4), 0xd55ccd4aeb3ccafb);
    CHECK_EQ(lm_hash4(42, 1, 0, 0), 0x3e4a12d70b0af178);
    CHECK_EQ(lm_hash4(42, 2, 0, 0), 0x68fea42eee61becd);
    CHECK_EQ(lm_hash4(most, most, most, most), 0x9c666618c8f279d7);

    snprintf(store, sizeof store, "%s/tests/golden/plan-v1/store.lmt", src ? src : ".");
    snprintf(plan_path, sizeof plan_path, "%s/tests/golden/plan-v1/plan.json", src ? src : ".");
    snprintf(list, sizeof list, "%s/tests/golden/plan-v1/mixture.txt", src ? src : ".");
    NEED(lm_plan_load(&p, plan_path) == 0);
    NEED(mix(&p, store, 1, 1, 2, "golden.lmt") == 0);
    items m = read_all("golden.lmt", &p);
    check_units(&p, &m);
    write_list(&m, "mixture.txt");
    CHECK(file_equal("mixture.txt", list));
    free(m.v);
    lm_plan_free(&p);
}

int main(void)
{
    test_golden();
    docs = synth_docs(2000000, &n_docs);
    synth_write("store.lmt", docs, n_docs);
    test_mixture("per-source", (lm_plan_options){ .tokens = 150001, .row = 1024 });
    test_mixture("cut-4k", (lm_plan_options){ .tokens = 400000, .row = 4096, .shards = 5 });
    test_mixture("cut-128k", (lm_plan_options){ .tokens = 4123456,
                                                .row = 8192,
                                                .shards = 3,
                                                .has_when_short = true,
                                                .when_short = LM_SHORT_REPEAT });
    test_mixture("cut-4k", (lm_plan_options){ .tokens = 5000, .row = 4096, .shards = 50 });
    test_copies();
    test_refusals();
    test_histogram();
    free(docs);
    CHECK_END();
}
