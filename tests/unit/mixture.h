/* mixture.h -- a small synthetic store for the tests of plans and mixtures: SlimPajama's domains
 * and shares, long and short documents in each, some of them twice. */
#ifndef LM_TEST_MIXTURE_H
#define LM_TEST_MIXTURE_H

#include <math.h>

#include "check.h"
#include "lib/base/endian.h"
#include "lib/base/rng.h"
#include "longmix/store.h"

enum { SYNTH_DOMAINS = 8, SYNTH_VOCAB = 32000 };
static const char *const synth_name[SYNTH_DOMAINS] = { "CommonCrawl",   "C4",     "GitHub",
                                                       "ArXiv",         "Book",   "Wikipedia",
                                                       "StackExchange", "unknown" };
static const double synth_share[SYNTH_DOMAINS] = { 0.53374772, 0.26609933, 0.05004782, 0.04290379,
                                                   0.0414836,  0.03402128, 0.03169647, 0 };
static const double synth_median[SYNTH_DOMAINS] = { 1066, 315, 520, 9000, 24000, 409, 507, 100 };

/* A document of the store. */
typedef struct synth_doc {
    uint64_t key, tokens;
    uint16_t domain;
} synth_doc;

static inline uint16_t synth_token(uint64_t key, uint64_t at)
{
    return (uint16_t)(lm_hash4(key, at, 0, 0) % SYNTH_VOCAB);
}

static inline uint64_t synth_length(size_t d, uint64_t i)
{
    double u = lm_unit(lm_hash4(5, d, i, 0));
    if (lm_unit(lm_hash4(6, d, i, 0)) < 0.08) return 4097 + (uint64_t)(u * 12000);
    return 1 + (uint64_t)(synth_median[d] * exp2(6 * (u - 0.5)));
}

/* About `total` tokens of documents in order of arrival, malloc'ed: the next domain is the one
 * furthest behind its share. Every 40th document repeats the last one of its domain. */
static inline synth_doc *synth_docs(uint64_t total, size_t *count)
{
    uint64_t made[SYNTH_DOMAINS] = { 0 }, sum = 0;
    synth_doc last[SYNTH_DOMAINS] = { 0 }, *docs = NULL;
    size_t n = 0, room = 0;
    while (sum < total) {
        size_t d = 0;
        double most = -1e300;
        for (size_t i = 0; i < SYNTH_DOMAINS - 1; i++) {
            double behind = synth_share[i] * (double)(sum + 1000) - (double)made[i];
            if (behind > most) most = behind, d = i;
        }
        if (n == room) NEED(docs = realloc(docs, (room = room * 2 + 1024) * sizeof *docs));
        synth_doc doc = { lm_hash4(7, d, n, 0), synth_length(d, n), (uint16_t)d };
        if (n % 40 == 39 && last[d].tokens) doc = last[d];
        docs[n++] = last[d] = doc;
        made[d] += doc.tokens;
        sum += doc.tokens;
    }
    *count = n;
    return docs;
}

static inline lm_json *synth_header(void)
{
    lm_json *j = lm_json_object(), *t = lm_json_object(), *domains = lm_json_array(),
            *files = lm_json_array(), *part = lm_json_object();
    lm_json_set_str(j, "format", LM_STORE_FORMAT);
    lm_json_set_str(j, "longmix", "test");
    lm_json_set_hex64(t, "xxh3", 0x1234);
    lm_json_set_u64(t, "vocab", SYNTH_VOCAB);
    lm_json_set(j, "tokenizer", t);
    for (size_t d = 0; d < SYNTH_DOMAINS; d++) lm_json_set_str(domains, NULL, synth_name[d]);
    lm_json_set(j, "domains", domains);
    lm_json_set_str(files, NULL, "synthetic.jsonl");
    lm_json_set(j, "files", files);
    lm_json_set_u64(part, "k", 1);
    lm_json_set_u64(part, "of", 1);
    lm_json_set(j, "part", part);
    return j;
}

static inline void synth_write(const char *path, const synth_doc *docs, size_t n)
{
    lm_json *header = synth_header();
    lm_store_writer *w = NULL;
    lm_buf b = LM_BUF_INIT((size_t)1 << 30);
    NEED(lm_store_writer_open(&w, path, header, LM_STORE_ONCE, NULL, NULL) == 0);
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        NEED(lm_record_begin(&b, false, &at) == 0);
        NEED(lm_buf_reserve(&b, docs[i].tokens * 2) == 0);
        for (uint64_t k = 0; k < docs[i].tokens; k++, b.size += 2)
            lm_put16(b.data + b.size, synth_token(docs[i].key, k));
        lm_doc d = { .key = docs[i].key,
                     .doc_tokens = docs[i].tokens,
                     .unit_tokens = docs[i].tokens,
                     .line = i + 1,
                     .domain = docs[i].domain };
        NEED(lm_record_end(&b, at, false, 2, &d) == 0);
        NEED(lm_store_append(w, b.data, b.size) == 0);
        b.size = 0;
    }
    lm_record end = { .kind = LM_REC_FILE, .file = { .raw_bytes = 1, .lines = n, .documents = n } };
    NEED(lm_record_add(&b, 2, &end) == 0);
    NEED(lm_store_append(w, b.data, b.size) == 0);
    NEED(lm_store_finish(w) == 0);
    lm_buf_free(&b);
    lm_json_free(header);
}

/* The path of recipe NAME of the repository, in a buffer that the next call overwrites. */
static inline const char *recipe_path(const char *name)
{
    static char path[4096];
    const char *src = getenv("LM_SRC");
    snprintf(path, sizeof path, "%s/recipes/%s.json", src ? src : ".", name);
    return path;
}

static const char *const the_eight[8] = {
    "cut-4k",  "cut-128k", "per-source", "global", "up-arxiv-book-github",
    "up-book", "up-code",  "up-arxiv"
};

#endif
