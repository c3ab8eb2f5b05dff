/* Packing: nothing lost or duplicated, parts equal the whole, receipts are correct. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "longmix/hist.h"
#include "longmix/mix.h"
#include "longmix/pack.h"
#include "longmix/shard.h"
#include "longmix/zio.h"
#include "lib/pack/internal.h"
#include "mixture.h"

static lm_plan plan_of(const char *recipe, uint64_t tokens, uint64_t row, uint64_t shards)
{
    lm_recipe r = { 0 };
    lm_store *s = NULL;
    lm_plan p = { 0 };
    lm_plan_options o = { .tokens = tokens,
                          .row = row,
                          .shards = shards,
                          .has_when_short = true,
                          .when_short = LM_SHORT_REPEAT };
    NEED(lm_recipe_load(&r, recipe_path(recipe)) == 0);
    NEED(lm_store_open(&s, "store.lmt") == 0);
    NEED(lm_plan_from_store(&p, &r, &o, s) == 0);
    lm_store_close(s);
    lm_recipe_free(&r);
    return p;
}

static void mix(const lm_plan *p, uint32_t part, uint32_t parts, const char *path)
{
    lm_store *s = NULL;
    lm_mix_options o = { .part = part, .parts = parts, .threads = 1 };
    NEED(lm_store_open(&s, "store.lmt") == 0);
    NEED(lm_mix_store(p, s, &o, path) == 0);
    lm_store_close(s);
}

static int pack(const char *stream, lm_pack_options o, const char *dir, bool force,
                lm_pack_sums *sums)
{
    lm_stream *s = NULL;
    lm_pack_sums none;
    NEED(lm_stream_open(&s, stream) == 0);
    if (!o.parts) o.part = o.parts = 1;
    int rc = lm_pack(s, &o, dir, force, sums ? sums : &none);
    lm_stream_close(s);
    return rc;
}

/* ---- files ------------------------------------------------------------------------------- */

static char *slurp(const char *path, size_t *n)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) return NULL;
    char *p = malloc((size_t)st.st_size + 1);
    NEED(p && read(fd, p, (size_t)st.st_size) == st.st_size);
    close(fd);
    *n = (size_t)st.st_size;
    p[*n] = 0;
    return p;
}

static size_t count_files(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    NEED(d);
    for (const struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

/* Names and bytes. */
static void check_same(const char *a, const char *b)
{
    DIR *d = opendir(a);
    NEED(d);
    CHECK_EQ(count_files(a), count_files(b));
    for (const struct dirent *e; (e = readdir(d));) {
        char pa[512], pb[512];
        size_t na = 0, nb = 0;
        if (e->d_name[0] == '.') continue;
        snprintf(pa, sizeof pa, "%s/%s", a, e->d_name);
        snprintf(pb, sizeof pb, "%s/%s", b, e->d_name);
        char *ta = slurp(pa, &na), *tb = slurp(pb, &nb);
        bool same = ta && tb && na == nb && !memcmp(ta, tb, na);
        if (!same) fprintf(stderr, "%s differs from %s\n", pa, pb);
        CHECK(same);
        free(ta);
        free(tb);
    }
    closedir(d);
}

static void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    if (!d) return;
    for (const struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(dir);
}

/* ---- contents of a stream and a directory ------------------------------------------------ */

typedef struct unit {
    lm_doc doc;
    uint64_t seen; /* tokens found in rows */
} unit;

typedef struct content {
    uint16_t *ids; /* all tokens, in order */
    uint64_t tokens;
    unit *units;
    size_t n;
} content;

static content read_stream(const char *path)
{
    content c = { 0 };
    lm_stream *s = NULL;
    lm_record r;
    int rc;
    NEED(lm_stream_open(&s, path) == 0);
    while ((rc = lm_stream_next(s, &r)) == 1) {
        if (r.kind != LM_REC_DOC || r.doc.flags & LM_DOC_OVERLAP) continue;
        NEED(c.ids = realloc(c.ids, (c.tokens + r.doc.tokens + 1) * 2));
        NEED(c.units = realloc(c.units, (c.n + 1) * sizeof *c.units));
        memcpy(c.ids + c.tokens, r.tokens, r.doc.tokens * 2);
        c.tokens += r.doc.tokens;
        c.units[c.n++] = (unit){ r.doc, 0 };
    }
    NEED(rc == 0);
    lm_stream_close(s);
    return c;
}

static void content_free(content *c)
{
    free(c->ids);
    free(c->units);
}

/* What lmhist would count; the receipt must agree. */
typedef struct recount {
    uint64_t tokens, units, documents, cuts, repeats, trimmed, padding;
    uint64_t cell[SYNTH_DOMAINS][LM_BUCKETS], domain[SYNTH_DOMAINS];
} recount;

static void count_span(recount *k, const lm_span *s)
{
    k->tokens += s->tokens;
    k->cell[s->domain][lm_bucket(s->doc_tokens)] += s->tokens;
    k->domain[s->domain] += s->tokens;
    k->cuts += !(s->flags & LM_SPAN_ENDS);
    if (!(s->flags & LM_SPAN_BEGINS)) return;
    k->units++;
    k->documents += s->doc_start == 0;
    k->repeats += s->copy > 0;
    k->trimmed += (s->flags & LM_SPAN_TRIMMED) != 0;
}

/* Every span's tokens are those of its document (synth_token); counts are those of the manifest. */
static void check_rows(const char *dir, uint64_t row_tokens, uint32_t pad, recount *k)
{
    lm_shards *s = NULL;
    *k = (recount){ 0 };
    NEED(lm_shards_open(&s, dir) == 0);
    uint32_t *ids = malloc(row_tokens * 4);
    size_t wrong = 0, wrong_pad = 0;
    for (uint64_t r = 0; r < lm_shards_rows(s); r++) {
        const lm_shard *shard = NULL;
        const lm_span *spans = NULL;
        uint64_t at = 0, fill = 0;
        size_t n = 0;
        NEED(ids && lm_shards_find(s, r, &shard, &at) == 0 && lm_shard_row(shard, at, ids) == 0 &&
             lm_shard_spans(shard, at, &spans, &n) == 0);
        for (size_t i = 0; i < n; i++) {
            for (uint64_t t = 0; t < spans[i].tokens; t++)
                wrong += ids[spans[i].row_start + t] !=
                         synth_token(spans[i].key, spans[i].doc_start + t);
            fill += spans[i].tokens;
            count_span(k, &spans[i]);
        }
        for (uint64_t t = fill; t < row_tokens; t++) wrong_pad += ids[t] != pad;
        k->padding += row_tokens - fill;
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(wrong_pad, 0);
    free(ids);
    lm_shards_close(s);
}

static uint64_t field(const lm_json *o, const char *key)
{
    uint64_t v = 0;
    NEED(lm_json_u64(&v, o, key) == 0);
    return v;
}

static lm_json *manifest(const char *dir)
{
    char path[512];
    lm_json *j = NULL;
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    NEED(lm_json_load(&j, path, 1 << 24) == 0);
    return j;
}

static void check_manifest(const char *dir, const recount *k, uint64_t dropped, const lm_plan *p)
{
    lm_json *j = manifest(dir);
    const lm_json *t = lm_json_get(j, "totals"), *domains = lm_json_get(j, "domains");
    CHECK_EQ(field(t, "tokens"), k->tokens);
    CHECK_EQ(field(t, "units"), k->units);
    CHECK_EQ(field(t, "documents"), k->documents);
    CHECK_EQ(field(t, "cuts"), k->cuts);
    CHECK_EQ(field(t, "repeats"), k->repeats);
    CHECK_EQ(field(t, "trimmed"), k->trimmed);
    CHECK_EQ(field(t, "padding"), k->padding);
    CHECK_EQ(field(t, "dropped_tail"), dropped);
    for (size_t i = 0; i < lm_json_size(domains); i++) {
        const lm_json *d = lm_json_at(domains, i), *buckets = lm_json_get(d, "buckets");
        const char *name = NULL;
        size_t at = 0;
        NEED(lm_json_str(&name, d, "name") == 0);
        while (strcmp(synth_name[at], name)) at++;
        CHECK_EQ(field(d, "tokens"), k->domain[at]);
        for (size_t b = 0; b < lm_json_size(buckets); b++) {
            const lm_json *cell = lm_json_at(buckets, b);
            unsigned bucket = lm_bucket(field(cell, "upto"));
            CHECK_EQ(field(cell, "tokens"), k->cell[at][bucket]);
            if (!p) continue;
            size_t pd = 0;
            while (pd < p->domains && strcmp(p->domain[pd].name, name)) pd++;
            const lm_stratum *s = lm_plan_stratum(p, pd, lm_bucket_upto(bucket));
            CHECK_EQ(field(cell, "target_tokens"), s ? s->tokens : 0);
        }
    }
    CHECK_EQ(lm_json_size(lm_json_get(j, "inputs")), 1);
    CHECK_OK(lm_manifest_check(dir));
    lm_json_free(j);
}

/* ---- the tests --------------------------------------------------------------------------- */

static void concat_whole(const lm_plan *p, uint64_t length, bool labels)
{
    uint64_t row = length + labels;
    lm_pack_sums sums;
    recount k;
    remove_dir("whole");
    mix(p, 1, 1, "mix.lmt");
    content c = read_stream("mix.lmt");
    CHECK_OK(pack("mix.lmt", (lm_pack_options){ .length = length, .labels = labels }, "whole",
                  false, &sums));
    CHECK(sums.complete);
    CHECK_EQ(sums.rows, c.tokens / row);
    CHECK_EQ(sums.tokens, c.tokens / row * row);
    CHECK_EQ(sums.dropped, c.tokens % row);
    CHECK_EQ(sums.shards, p->shards);
    CHECK_EQ(sums.padding, 0);

    /* The rows are the windows of the mixture. */
    lm_shards *s = NULL;
    NEED(lm_shards_open(&s, "whole") == 0);
    CHECK_EQ(lm_shards_rows(s), c.tokens / row);
    CHECK_EQ(lm_shard_labels(lm_shards_at(s, 0)), labels);
    uint32_t *ids = malloc(row * 4);
    size_t wrong = 0;
    for (uint64_t r = 0; r < lm_shards_rows(s); r++) {
        const lm_shard *shard = NULL;
        uint64_t at = 0;
        NEED(ids && lm_shards_find(s, r, &shard, &at) == 0 && lm_shard_row(shard, at, ids) == 0);
        for (uint64_t t = 0; t < row; t++) wrong += ids[t] != c.ids[r * row + t];
    }
    CHECK_EQ(wrong, 0);
    free(ids);
    lm_shards_close(s);
    check_rows("whole", row, 0, &k);
    check_manifest("whole", &k, c.tokens % row, p);
    content_free(&c);
}

static void parts_are_the_whole(const lm_plan *p, lm_pack_options o, uint32_t parts)
{
    remove_dir("parts");
    remove_dir("slices");
    for (uint32_t k = parts; k >= 1; k--) { /* the first call writes the last shards */
        char name[64];
        lm_pack_sums sums;
        snprintf(name, sizeof name, "part-%u.lmt", k);
        mix(p, k, parts, name);
        o.part = k;
        o.parts = parts;
        o.threads = (int)(k % 2) + 1;
        CHECK_OK(pack(name, o, "parts", false, &sums));
        if (parts <= p->shards) CHECK_EQ(sums.complete, k == 1);
        CHECK_OK(pack("mix.lmt", o, "slices", false, NULL)); /* of the whole stream */
        unlink(name);
    }
    check_same("whole", "parts");
    check_same("whole", "slices");
}

static void concat(void)
{
    static const struct {
        uint64_t row, shards;
    } shapes[] = { { 1000, 7 },
                   { 4096, 3 },
                   { 20000, 40 } }; /* the last: rows longer than shards */
    for (size_t i = 0; i < 3; i++) {
        lm_plan p = plan_of("per-source", 600000, shapes[i].row, shapes[i].shards);
        for (int labels = 0; labels < 2; labels++) {
            concat_whole(&p, shapes[i].row, labels);
            lm_pack_options o = { .length = shapes[i].row, .labels = labels };
            parts_are_the_whole(&p, o, 2);
            parts_are_the_whole(&p, o, 3);
            if (i == 1) parts_are_the_whole(&p, o, 5); /* more parts than shards */
        }
        /* Rows may be shorter than planned; longer ones would exceed the overlap. */
        lm_pack_options shorter = { .length = 333 },
                        longer = { .length = 170000, .part = 1, .parts = 2 };
        concat_whole(&p, 333, false);
        parts_are_the_whole(&p, shorter, 3);
        mix(&p, 1, 2, "part.lmt");
        remove_dir("longer");
        CHECK_EQ(pack("part.lmt", longer, "longer", false, NULL), LM_EUSAGE);
        CHECK(strstr(lm_err(), "plan again") != NULL);
        remove_dir("longer");
        lm_plan_free(&p);
    }
}

/* Every unit of the mixture is in the rows exactly once, uncut. */
static void best_fit_keeps_all(const content *c, const char *dir, uint64_t row)
{
    lm_shards *s = NULL;
    NEED(lm_shards_open(&s, dir) == 0);
    size_t lost = 0;
    for (uint64_t r = 0; r < lm_shards_rows(s); r++) {
        const lm_shard *shard = NULL;
        const lm_span *spans = NULL;
        uint64_t at = 0;
        size_t n = 0;
        NEED(lm_shards_find(s, r, &shard, &at) == 0 && lm_shard_spans(shard, at, &spans, &n) == 0);
        for (size_t i = 0; i < n; i++) {
            bool found = false;
            for (size_t u = 0; u < c->n && !found; u++) {
                unit *q = &c->units[u];
                if (q->doc.key != spans[i].key || q->doc.copy != spans[i].copy ||
                    q->doc.start > spans[i].doc_start ||
                    spans[i].doc_start + spans[i].tokens > q->doc.start + q->doc.tokens ||
                    q->seen != spans[i].doc_start - q->doc.start)
                    continue;
                q->seen += spans[i].tokens;
                found = true;
                /* Only units longer than a row are cut. */
                if (q->doc.tokens <= row) lost += spans[i].tokens != q->doc.tokens;
            }
            lost += !found;
        }
    }
    for (size_t u = 0; u < c->n; u++) lost += c->units[u].seen != c->units[u].doc.tokens;
    CHECK_EQ(lost, 0);
    lm_shards_close(s);
}

static void best_fit(const char *recipe, uint64_t row, bool labels)
{
    lm_plan p = plan_of(recipe, 500000, row, 5);
    lm_pack_options o = { .length = row, .labels = labels, .how = LM_PACK_BEST_FIT, .pad = 31999 };
    lm_pack_sums sums;
    recount k;
    remove_dir("whole");
    mix(&p, 1, 1, "mix.lmt");
    content c = read_stream("mix.lmt");
    CHECK_OK(pack("mix.lmt", o, "whole", false, &sums));
    CHECK_EQ(sums.tokens, c.tokens);
    CHECK_EQ(sums.dropped, 0);
    CHECK_EQ(sums.tokens + sums.padding, sums.rows * (row + labels));
    if (sums.rows > 50) CHECK(sums.padding * 20 < sums.tokens);
    check_rows("whole", row + labels, 31999, &k);
    check_manifest("whole", &k, 0, &p);
    /* An exact plan is met: each stratum has its planned tokens. */
    size_t off = 0;
    for (size_t i = 0; i < p.strata; i++) {
        size_t d = 0;
        while (strcmp(synth_name[d], p.domain[p.stratum[i].domain].name)) d++;
        off += k.cell[d][p.stratum[i].bucket] != p.stratum[i].tokens;
    }
    CHECK_EQ(off, 0);
    if (c.n < 4000) best_fit_keeps_all(&c, "whole", row + labels);
    parts_are_the_whole(&p, o, 3);
    content_free(&c);
    lm_plan_free(&p);
}

/* A store packed directly: shards cut by size. */
static void unmarked(void)
{
    lm_pack_options o = { .length = 1000, .shard_bytes = 100500 }; /* 50 rows */
    lm_pack_sums sums, again;
    recount k;
    content c = read_stream("store.lmt");
    remove_dir("plain");
    CHECK_OK(pack("store.lmt", o, "plain", false, &sums));
    CHECK_EQ(sums.rows, c.tokens / 1000);
    CHECK_EQ(sums.shards, (sums.rows + 49) / 50);
    CHECK_EQ(sums.dropped, c.tokens % 1000);
    check_rows("plain", 1000, 0, &k);
    check_manifest("plain", &k, c.tokens % 1000, NULL);

    /* Again: the same bytes; files left by a killed run are removed. */
    CHECK_OK(lm_write_file("plain/shard-00001.lms.longmix.tmp", "x", 1));
    CHECK_OK(pack("store.lmt", o, "again", false, &again));
    CHECK_OK(pack("store.lmt", o, "plain", false, &again));
    check_same("plain", "again");
    remove_dir("again");

    o.how = LM_PACK_BEST_FIT;
    CHECK_EQ(pack("store.lmt", o, "plain", false, NULL),
             LM_EUSAGE); /* the directory holds another mixture */
    CHECK_OK(lm_manifest_check("plain"));
    CHECK_OK(pack("store.lmt", o, "plain", true, &sums));
    CHECK_EQ(sums.tokens, c.tokens);
    check_rows("plain", 1000, 0, &k);
    check_manifest("plain", &k, 0, NULL);

    o.parts = 2, o.part = 1;
    CHECK_EQ(pack("store.lmt", o, "none", false, NULL), LM_EUSAGE);
    o.parts = 0, o.how = LM_PACK_CONCAT, o.length = (uint64_t)1 << 27;
    CHECK_EQ(pack("store.lmt", o, "none", false, NULL), LM_ESHORT);
    o.length = 0;
    CHECK_EQ(pack("store.lmt", o, "none", false, NULL), LM_EUSAGE);
    o.length = LM_ROW_MAX, o.labels = true;
    CHECK_EQ(pack("store.lmt", o, "none", false, NULL), LM_EUSAGE);
    o = (lm_pack_options){ .length = 10, .how = LM_PACK_BEST_FIT, .pad = SYNTH_VOCAB };
    CHECK_EQ(pack("store.lmt", o, "none", false, NULL), LM_EUSAGE);
    content_free(&c);
    remove_dir("none");
}

/* The same files with less data: shards of the longer run are removed. */
static void shrinks(void)
{
    size_t n = 0;
    synth_doc *docs = synth_docs(60000, &n);
    lm_pack_options o = { .length = 100, .shard_bytes = 20000 };
    lm_pack_sums sums;
    remove_dir("shrinks");
    synth_write("a.lmt", docs, n);
    CHECK_OK(pack("a.lmt", o, "shrinks", false, &sums));
    uint64_t before = sums.shards;
    synth_write("a.lmt", docs, n / 2);
    CHECK_OK(pack("a.lmt", o, "shrinks", false, &sums));
    CHECK(sums.shards < before && sums.complete);
    CHECK_OK(lm_manifest_check("shrinks"));
    synth_write("a.lmt", docs, 0);
    CHECK_EQ(pack("a.lmt", o, "shrinks", false, &sums), LM_ESHORT);
    free(docs);
}

static void refusals(void)
{
    lm_plan p = plan_of("per-source", 300000, 1000, 6), q = plan_of("up-book", 300000, 1000, 6);
    lm_pack_options o = { .length = 1000 };
    remove_dir("whole");
    mix(&p, 1, 1, "mix.lmt");
    mix(&q, 1, 1, "other.lmt");
    CHECK_OK(pack("mix.lmt", o, "whole", false, NULL));
    CHECK_EQ(pack("other.lmt", o, "whole", false, NULL), LM_EUSAGE);
    o.labels = true;
    CHECK_EQ(pack("mix.lmt", o, "whole", false, NULL), LM_EUSAGE);
    o.labels = false;

    /* A damaged or missing shard is rebuilt; the rest of the directory is unchanged. */
    unlink("whole/shard-00002.lms");
    CHECK_EQ(lm_manifest_check("whole"), LM_EDATA);
    CHECK_OK(pack("mix.lmt", (lm_pack_options){ .length = 1000, .part = 3, .parts = 6 }, "whole",
                  false, NULL));
    CHECK_OK(lm_manifest_check("whole"));
    CHECK_EQ(truncate("whole/shard-00003.lms", 5000), 0);
    CHECK_EQ(lm_manifest_check("whole"), LM_EDATA);
    CHECK_EQ(pack("mix.lmt", o, "whole", false, NULL), LM_EUSAGE);
    CHECK_OK(pack("mix.lmt", o, "whole", true, NULL));
    CHECK_OK(lm_manifest_check("whole"));

    /* A changed manifest. */
    size_t n = 0;
    char *text = slurp("whole/manifest.json", &n);
    NEED(text);
    char *at = strstr(text, "\"tokens\": ");
    NEED(at);
    at[11] = at[11] == '1' ? '2' : '1';
    CHECK_OK(lm_write_file("whole/manifest.json", text, n));
    CHECK_EQ(lm_manifest_check("whole"), LM_EDATA);
    CHECK(strstr(lm_err(), "manifest.json: byte ") != NULL);
    CHECK_OK(lm_write_file("whole/manifest.json", text, n / 2));
    CHECK_EQ(lm_manifest_check("whole"), LM_EDATA);
    free(text);
    unlink("whole/manifest.json");
    CHECK_EQ(lm_manifest_check("whole"), LM_EIO);

    /* A part of the stream under another name. */
    mix(&p, 2, 3, "part.lmt");
    CHECK_EQ(pack("part.lmt", o, "none", false, NULL), LM_EUSAGE);
    o.part = 1, o.parts = 3;
    CHECK_EQ(pack("part.lmt", o, "none", false, NULL), LM_EUSAGE);

    /* A truncated stream leaves no manifest and no incomplete shard. */
    CHECK_EQ(truncate("mix.lmt", 400000), 0);
    remove_dir("none");
    CHECK_EQ(pack("mix.lmt", (lm_pack_options){ .length = 1000 }, "none", false, NULL), LM_EDATA);
    CHECK(access("none/manifest.json", F_OK) != 0);
    uint64_t *number = NULL;
    size_t shards = 0;
    CHECK_OK(lm_shards_list(&number, &shards, "none"));
    for (size_t i = 0; i < shards; i++) {
        char *path = NULL;
        CHECK_OK(lm_shard_path(&path, "none", number[i]));
        CHECK_OK(lm_shard_check(path, false));
        free(path);
    }
    free(number);
    CHECK_EQ(count_files("none"), shards);
    lm_plan_free(&p);
    lm_plan_free(&q);
}

/* Make names/ of two shards with the given inputs; 0 or what lm_manifest_check says. */
static int receipts(const lm_file_end *f, const char *const *name, size_t n,
                    const char *const *hashed, size_t counted, const char *not_read)
{
    lm_json *identity = lm_json_object(), *list = NULL;
    uint16_t ids[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    lm_span span = { .doc_tokens = 8, .unit_tokens = 8, .tokens = 8 };
    lm_pack_sums sums = { 0 };
    bool complete = false;
    pack_sink s = { .dir = "names", .sums = &sums };
    remove_dir("names");
    NEED(!mkdir("names", 0777));
    NEED(lm_json_parse(&list, "[\"A\"]", 5, "test") == 0);
    lm_json_set(identity, "domains", list);
    lm_json_set(identity, "files", lm_shard_files(hashed, counted));
    if (not_read) NEED(lm_json_parse(&list, not_read, strlen(not_read), "test") == 0);
    if (not_read) s.not_read = list;
    s.spec = (lm_shard_spec){ .row_tokens = 8, .width = 2, .vocab = 10, .identity = identity };
    NEED(pack_counts_new(&s.counts, 1, 8, 4096) == 0);
    for (uint64_t shard = 0; shard < 2; shard++) {
        for (size_t i = shard * (n / 2); i < (shard ? n : n / 2); i++) {
            char why[32] = ""; /* as a record's: gone with the next one */
            lm_file_end mine = f[i];
            if (mine.set_aside) {
                snprintf(why, sizeof why, "%s", mine.set_aside);
                mine.set_aside = why;
            }
            NEED(pack_sink_input(&s, &mine, name[i]) == 0);
            memset(why, 'x', sizeof why - 1);
        }
        NEED(pack_sink_row(&s, ids, &span, 1) == 0);
        NEED(pack_sink_advance(&s, shard + 1, shard == 1, 0) == 0);
    }
    NEED(pack_write_manifest("names", 2, &complete) == 0 && complete);
    pack_sink_free(&s);
    lm_json_free(identity);
    if (not_read) lm_json_free(list);
    return lm_manifest_check("names");
}

/* Quarantined files, files that were not read, and the names: each once. */
static void inputs(void)
{
    const char *const name[] = { "a.jsonl", "b.jsonl.gz", "c/c.jsonl" };
    lm_file_end f[] = {
        { .file = 0, .raw_bytes = 10, .lines = 2, .documents = 2 },
        { .file = 1, .raw_bytes = 20, .set_aside = "truncated", .fault = 17 },
        { .file = 2, .raw_bytes = 30, .lines = 3, .documents = 2, .bad_lines = 1 }
    };
    CHECK_OK(receipts(f, name, 3, name, 3, "[\"README.md\",\"c/data.parquet\"]"));
    lm_json *j = manifest("names");
    const lm_json *in = lm_json_get(j, "inputs"), *totals = lm_json_get(j, "totals");
    const char *text = NULL;
    CHECK_OK(lm_json_str(&text, j, "format"));
    CHECK_STR(text, "longmix manifest 2");
    CHECK_EQ(lm_json_size(in), 3);
    CHECK_EQ(field(totals, "set_aside_files"), 1);
    CHECK_EQ(field(totals, "bad_lines"), 1);
    CHECK(!lm_json_get(lm_json_at(in, 0), "set_aside"));
    const lm_json *why = lm_json_get(lm_json_at(in, 1), "set_aside");
    NEED(why);
    CHECK_EQ(field(why, "byte"), 17);
    CHECK_OK(lm_json_str(&text, why, "reason"));
    CHECK_STR(text, "truncated");
    CHECK_EQ(lm_json_size(lm_json_get(j, "not_read")), 2);
    lm_json_free(j);

    /* The names and what was not read stand once, not in every shard. */
    static const char *const once[] = { "c/c.jsonl", "README.md" };
    for (int i = 0; i < 2; i++) {
        size_t n = 0, found = 0;
        for (uint64_t k = 0; k < 2; k++) {
            char *path = NULL;
            NEED(lm_shard_path(&path, "names", k) == 0);
            char *bytes = slurp(path, &n);
            NEED(bytes);
            found += memmem(bytes, n, once[i], strlen(once[i])) != NULL;
            free(bytes);
            free(path);
        }
        CHECK_EQ(found, 1);
    }
    lm_shards *s = NULL;
    NEED(lm_shards_open(&s, "names") == 0);
    CHECK_STR(lm_shards_file(s, 2), "c/c.jsonl");
    lm_shards_close(s);
    NEED(lm_shards_open(&s, "names/shard-00000.lms") == 0); /* from the manifest next to it */
    CHECK_STR(lm_shards_file(s, 2), "c/c.jsonl");
    lm_shards_close(s);

    /* Nothing to report: the members are absent. */
    f[1].set_aside = NULL;
    CHECK_OK(receipts(f, name, 3, name, 3, "[]"));
    j = manifest("names");
    CHECK(!lm_json_get(j, "not_read") && !lm_json_get(lm_json_get(j, "totals"), "set_aside_files"));
    lm_json_free(j);

    /* Receipts whose names are not those of the identity. */
    const char *const other[] = { "a.jsonl", "c/c.jsonl", "b.jsonl.gz" };
    CHECK_OK(receipts(f, name, 2, name, 3, NULL)); /* a mixture that ended early */
    CHECK_EQ(receipts(f, name, 3, name, 2, NULL), LM_EDATA);
    CHECK(strstr(lm_err(), "not the files of the identity") != NULL);
    CHECK_EQ(receipts(f, name, 3, other, 3, NULL), LM_EDATA);
    remove_dir("names");
}

/* mix.lmt with mark `which` removed (shift 0) or moved by `shift`. */
static void spoil_marks(const char *from, const char *to, size_t which, uint64_t shift)
{
    lm_stream *s = NULL;
    lm_store_writer *w = NULL;
    lm_buf b = LM_BUF_INIT((size_t)1 << 30);
    lm_record r;
    size_t marks = 0;
    int rc;
    NEED(lm_stream_open(&s, from) == 0);
    NEED(lm_store_writer_open(&w, to, lm_stream_meta(s)->json, LM_STORE_ONCE, NULL, NULL) == 0);
    while ((rc = lm_stream_next(s, &r)) == 1) {
        if (r.kind == LM_REC_SHARD && marks++ == which) {
            if (!shift) continue;
            r.shard.start += shift;
        }
        NEED(lm_record_add(&b, 2, &r) == 0);
        NEED(lm_store_append(w, b.data, b.size) == 0);
        b.size = 0;
    }
    NEED(rc == 0 && lm_store_finish(w) == 0);
    lm_buf_free(&b);
    lm_stream_close(s);
}

static void marks(void)
{
    lm_plan p = plan_of("per-source", 100000, 1000, 4);
    lm_pack_options o = { .length = 1000 };
    mix(&p, 1, 1, "mix.lmt");
    for (size_t which = 0; which <= 4; which++) {
        remove_dir("none");
        spoil_marks("mix.lmt", "bad.lmt", which, 0);
        CHECK_EQ(pack("bad.lmt", o, "none", false, NULL), LM_EDATA);
        CHECK(access("none/manifest.json", F_OK) != 0);
        if (which == 0) continue; /* a part's first mark says where it begins */
        remove_dir("none");
        spoil_marks("mix.lmt", "bad.lmt", which, 1);
        CHECK_EQ(pack("bad.lmt", o, "none", false, NULL), LM_EDATA);
    }
    remove_dir("none");
    lm_plan_free(&p);
}

/* Ids of 32 bits. */
static void wide(void)
{
    static const uint64_t lengths[] = { 5, 23, 1, 9, 10, 31 };
    lm_json *header = synth_header(), *t = lm_json_object();
    lm_store_writer *w = NULL;
    lm_buf b = LM_BUF_INIT((size_t)1 << 20);
    uint32_t ids[32], next = 65536, row[10];
    lm_json_set_hex64(t, "xxh3", 1);
    lm_json_set_u64(t, "vocab", 70000);
    lm_json_set(header, "tokenizer", t);
    NEED(lm_store_writer_open(&w, "wide.lmt", header, LM_STORE_ONCE, NULL, NULL) == 0);
    for (size_t i = 0; i < 6; i++) {
        for (uint64_t k = 0; k < lengths[i]; k++) ids[k] = next++;
        lm_record r = { .kind = LM_REC_DOC,
                        .tokens = ids,
                        .doc = { .key = i,
                                 .tokens = lengths[i],
                                 .doc_tokens = lengths[i],
                                 .unit_tokens = lengths[i],
                                 .line = i + 1 } };
        b.size = 0;
        NEED(lm_record_add(&b, 4, &r) == 0 && lm_store_append(w, b.data, b.size) == 0);
    }
    NEED(lm_store_finish(w) == 0);
    lm_buf_free(&b);
    lm_json_free(header);
    for (int how = LM_PACK_CONCAT; how <= LM_PACK_BEST_FIT; how++) {
        lm_pack_options o = { .length = 10, .how = (enum lm_pack_how)how, .pad = 69999 };
        lm_pack_sums sums;
        lm_shard *s = NULL;
        remove_dir("wide");
        NEED(pack("wide.lmt", o, "wide", false, &sums) == 0);
        CHECK_EQ(sums.tokens + sums.dropped, 79);
        CHECK_OK(lm_shard_check("wide/shard-00000.lms", false));
        NEED(lm_shard_open(&s, "wide/shard-00000.lms") == 0);
        CHECK_EQ(lm_shard_width(s), 4);
        uint64_t sum = 0, padding = 0;
        for (uint64_t r = 0; r < lm_shard_rows(s); r++) {
            CHECK_OK(lm_shard_row(s, r, row));
            for (size_t i = 0; i < 10; i++) {
                if (row[i] == 69999) padding++;
                else sum += row[i] - 65536;
            }
        }
        uint64_t kept = sums.tokens; /* ids count up from 65536: concat drops the last ones */
        CHECK_EQ(sum, kept * (kept - 1) / 2);
        CHECK_EQ(padding, sums.padding);
        lm_shard_close(s);
    }
}

int main(void)
{
    size_t n = 0;
    synth_doc *docs = synth_docs(1000000, &n);
    synth_write("store.lmt", docs, n);
    free(docs);
    concat();
    best_fit("per-source", 4096, false);
    best_fit("cut-4k", 1024, true);
    best_fit("per-source", 131072, false);
    unmarked();
    shrinks();
    refusals();
    marks();
    inputs();
    wide();
    CHECK_END();
}
