/* stream.c -- the records of a stream in order; at its end, a check that index and
 * trailer match them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/store/internal.h"

struct lm_stream {
    lmstore_parts parts;
    lm_meta meta;          /* of all parts as one */
    size_t part;           /* that is being read */
    lmstore_reader reader; /* on it */
    lmstore_limits limits; /* of it */
    size_t pending;        /* bytes of the record that the caller borrows */
    uint64_t before;       /* bytes of the parts before it */
    lmstore_sums sums;     /* totals of its records */
    lmstore_block block;   /* the expected index ... */
    lm_hasher *expected;   /* ... of which only the checks of the blocks are kept, as a hash */
    bool ended;
};

static void begin_records(lm_stream *s, const lm_meta *m)
{
    s->limits = lmstore_limits_of(m);
    s->sums = (lmstore_sums)LMSTORE_SUMS_INIT;
    s->pending = 0;
    lm_hasher_reset(s->expected);
}

/* Read the headers of all parts; the first stays open behind its header. */
static int read_headers(lm_stream *s)
{
    size_t n = s->parts.n;
    lm_meta *metas = calloc(n, sizeof *metas);
    if (!metas) return lm_fail_nomem(n * sizeof *metas);
    int rc = LM_OK;
    for (size_t i = 0; i < n && !rc; i++) {
        lmstore_reader r, *on = i ? &r : &s->reader;
        rc = lmstore_reader_open(on, s->parts.path[i], false);
        if (rc) break;
        rc = lmstore_reader_header(on, &metas[i]);
        if (i) lmstore_reader_close(on);
    }
    if (!rc) {
        begin_records(s, &metas[0]);
        rc = lmstore_parts_meta(&s->parts, metas, &s->meta);
    } else {
        for (size_t i = 0; i < n; i++) lm_meta_free(&metas[i]);
    }
    free(metas);
    return rc;
}

int lm_stream_open(lm_stream **out, const char *path)
{
    lm_stream *s = calloc(1, sizeof *s);
    if (!s) return lm_fail_nomem(sizeof *s);
    s->reader.fd = -1;
    int rc = lm_hasher_new(&s->expected);
    if (!rc) rc = lmstore_parts_find(&s->parts, path);
    if (!rc) rc = read_headers(s);
    if (rc) {
        lm_stream_close(s);
        return rc;
    }
    *out = s;
    return LM_OK;
}

const lm_meta *lm_stream_meta(const lm_stream *s) { return &s->meta; }
uint64_t lm_stream_offset(const lm_stream *s) { return s->before + s->reader.offset; }

void lm_stream_close(lm_stream *s)
{
    if (!s) return;
    lmstore_reader_close(&s->reader);
    lmstore_parts_free(&s->parts);
    lm_meta_free(&s->meta);
    lm_hasher_free(s->expected);
    free(s);
}

/* Note a sealed block of the expected index. */
static void expect_block(lm_stream *s, size_t sealed)
{
    if (sealed) lm_hasher_add(s->expected, s->block.bytes + sealed - 8, 8);
}

static void count_document(lm_stream *s, const lm_doc *d)
{
    lmstore_sums_add(&s->sums, d->key, d->tokens, d->domain);
    expect_block(s, lmstore_block_add(&s->block, &(lm_entry){ .key = d->key,
                                                              .where = s->reader.offset,
                                                              .tokens = d->tokens,
                                                              .domain = d->domain }));
}

/* Buffer n bytes of what follows the records; fewer are an error. */
static int need_rest(lmstore_reader *r, uint64_t n)
{
    int rc = lmstore_reader_need(r, n);
    if (rc == 0) return lmstore_reader_fail(r, 0, "truncated: the end marker is missing");
    return rc < 0 ? rc : LM_OK;
}

/* Verify the blocks of the index against themselves and against the records. */
static int check_blocks(lm_stream *s, lm_hasher *found)
{
    lmstore_reader *r = &s->reader;
    uint64_t start = r->offset;
    for (uint64_t left = s->sums.documents; left;) {
        size_t n = left < BLOCK_ENTRIES ? (size_t)left : BLOCK_ENTRIES;
        int rc = need_rest(r, n * ENTRY + 8);
        if (rc) return rc;
        const unsigned char *p = lmstore_reader_at(r);
        if (!lmstore_block_good(p, n))
            return lmstore_reader_fail(
                r, 0, "the index is damaged: the checksum of a block does not match");
        lm_hasher_add(found, p + n * ENTRY, 8);
        lmstore_reader_skip(r, n * ENTRY + 8);
        left -= n;
    }
    if (lm_hasher_digest(found) != lm_hasher_digest(s->expected))
        return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": the index does not match the records",
                       r->name, start);
    return LM_OK;
}

static int check_trailer(lm_stream *s, uint64_t index)
{
    lmstore_reader *r = &s->reader;
    lmstore_trailer t;
    int rc = need_rest(r, TRAILER);
    if (rc) return rc;
    const char *why = lmstore_trailer_get(lmstore_reader_at(r), s->limits.version, &t);
    if (why) return lmstore_reader_fail(r, 0, "%s", why);
    if (t.sums.documents != s->sums.documents || t.sums.tokens != s->sums.tokens ||
        t.sums.content != s->sums.content || t.index != index)
        return lmstore_reader_fail(r, 0, "the trailer does not match the records");
    lmstore_reader_skip(r, TRAILER);
    rc = lmstore_reader_need(r, 1);
    return rc > 0 ? lmstore_reader_fail(r, 0, "data after the end marker") : rc;
}

/* Read index and trailer of the part to its last byte. */
static int check_end(lm_stream *s)
{
    lmstore_reader *r = &s->reader;
    uint64_t index = r->offset, documents = 0;
    expect_block(s, lmstore_block_end(&s->block));
    if (!lmstore_index_head_get(lmstore_reader_at(r), &documents))
        return lmstore_reader_fail(r, 0, "the head of the index is damaged");
    if (documents != s->sums.documents)
        return lmstore_reader_fail(r, 16,
                                   "the index has %" PRIu64 " entries for %" PRIu64 " documents",
                                   documents, s->sums.documents);
    lmstore_reader_skip(r, INDEX_HEAD);
    lm_hasher *found = NULL;
    int rc = lm_hasher_new(&found);
    if (!rc) rc = check_blocks(s, found);
    lm_hasher_free(found);
    return rc ? rc : check_trailer(s, index);
}

static int next_part(lm_stream *s)
{
    s->before += s->reader.offset;
    lmstore_reader_close(&s->reader);
    lm_meta m;
    int rc = lmstore_reader_open(&s->reader, s->parts.path[++s->part], false);
    if (!rc) rc = lmstore_reader_header(&s->reader, &m);
    if (rc) return rc;
    begin_records(s, &m);
    lm_meta_free(&m);
    return LM_OK;
}

/* File numbers count through all parts. */
static void shift_file(lm_record *r, uint32_t first)
{
    if (r->kind == LM_REC_DOC) r->doc.file += first;
    else if (r->kind == LM_REC_FILE) r->file.file += first;
    else if (r->kind == LM_REC_BAD) r->bad.file += first;
}

int lm_stream_next(lm_stream *s, lm_record *out)
{
    while (!s->ended) {
        uint64_t size = 0;
        lmstore_reader_skip(&s->reader, s->pending);
        s->pending = 0;
        int rc = lmstore_reader_record(&s->reader, &s->limits, out, &size);
        if (rc < 0) return rc;
        if (rc == 1) {
            if (out->kind == LM_REC_DOC) count_document(s, &out->doc);
            s->pending = (size_t)size;
            if (out->kind == LM_REC_CHUNK) continue;
            shift_file(out, (uint32_t)s->parts.first_file[s->part]);
            return 1;
        }
        rc = check_end(s);
        if (rc) return rc;
        if (s->part + 1 == s->parts.n) s->ended = true;
        else if ((rc = next_part(s))) return rc;
    }
    return 0;
}
