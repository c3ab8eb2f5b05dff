/* writer.c -- writing one .lms file, front to back. Tables come after the rows and may
 * exceed memory, so they are spooled. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "longmix/buf.h"
#include "lib/base/endian.h"
#include "lib/base/hash.h"
#include "lib/base/ids.h"
#include "lib/io/output.h"
#include "longmix/shard.h"
#include "longmix/zio.h"
#include "lib/shard/internal.h"

/* ---- spools: a queue of bytes, in a temporary file beyond SPOOL_BYTES ---------------- */

enum { SPOOL_BYTES = 1 << 20 };

typedef struct spool {
    unsigned char *data; /* the last `held` bytes; those before are in the file */
    size_t held;
    uint64_t total;
    int fd;
} spool;

static int spool_flush(spool *q, const char *path)
{
    if (q->fd < 0) {
        q->fd = lm_temporary_fd(path);
        if (q->fd < 0) return q->fd;
    }
    int rc = lm_write_all(q->fd, q->data, q->held, path);
    q->held = 0;
    return rc;
}

/* `path`: the output, for the place of the temporary file and for messages. */
static int spool_add(spool *q, const char *path, const void *p, size_t n)
{
    if (!q->data && !(q->data = malloc(SPOOL_BYTES))) return lm_fail_nomem(SPOOL_BYTES);
    q->total += n;
    for (const unsigned char *from = p; n;) {
        size_t k = SPOOL_BYTES - q->held < n ? SPOOL_BYTES - q->held : n;
        memcpy(q->data + q->held, from, k);
        q->held += k;
        from += k;
        n -= k;
        int rc = q->held == SPOOL_BYTES ? spool_flush(q, path) : LM_OK;
        if (rc) return rc;
    }
    return LM_OK;
}

static void spool_free(spool *q)
{
    if (q->fd >= 0) close(q->fd);
    free(q->data);
}

/* ---- the writer ------------------------------------------------------------------------ */

struct lm_shard_writer {
    lm_out *out;
    char *path;
    unsigned width;
    uint32_t vocab;
    shard_bounds bounds;
    uint64_t rows, spans;
    uint64_t head_sum, sums[SECTIONS];
    spool queue[SEC_SPANS + 1]; /* SEC_CHECKS, SEC_INDEX, SEC_SPANS */
    lm_buf identity;
    lm_hasher *hasher;
    int failed; /* the first error of a row */
};

static void writer_free(lm_shard_writer *w)
{
    for (int i = 0; i <= SEC_SPANS; i++) spool_free(&w->queue[i]);
    lm_buf_free(&w->identity);
    lm_hasher_free(w->hasher);
    free(w->path);
    free(w);
}

void lm_shard_writer_abandon(lm_shard_writer *w)
{
    if (!w) return;
    lm_out_abandon(w->out);
    writer_free(w);
}

static int write_header(lm_shard_writer *w, const lm_shard_spec *spec)
{
    unsigned char h[LM_SHARD_DATA] = SHARD_MAGIC;
    lm_put32(h + HEAD_VERSION, LM_SHARD_VERSION);
    lm_put32(h + HEAD_WIDTH, spec->width);
    lm_put64(h + HEAD_ROW_TOKENS, spec->row_tokens);
    lm_put32(h + HEAD_LABELS, spec->labels);
    lm_put32(h + HEAD_VOCAB, spec->vocab);
    lm_put64(h + HEAD_NUMBER, spec->number);
    lm_put64(h + HEAD_SUM, lm_hash64(h, HEAD_SUM));
    w->head_sum = lm_hash64(h, sizeof h);
    return lm_out_write(w->out, h, sizeof h);
}

int lm_shard_writer_open(lm_shard_writer **out, const char *path, const lm_shard_spec *spec)
{
    *out = NULL;
    if ((spec->width != 2 && spec->width != 4) || spec->row_tokens < 1 ||
        spec->row_tokens > LM_ROW_MAX || spec->vocab < 1 ||
        (spec->width == 2 && spec->vocab > 65536))
        return lm_fail(LM_EUSAGE,
                       "%s: rows of %" PRIu64 " tokens of %u bytes below id %u cannot be written",
                       path, spec->row_tokens, spec->width, (unsigned)spec->vocab);
    lm_shard_writer *w = calloc(1, sizeof *w);
    if (!w) return lm_fail_nomem(sizeof *w);
    for (int i = 0; i <= SEC_SPANS; i++) w->queue[i].fd = -1;
    w->width = spec->width;
    w->vocab = spec->vocab;
    w->identity.max = SHARD_JSON_MAX;
    w->path = strdup(path);
    int rc = w->path ? LM_OK : lm_fail_nomem(strlen(path));
    if (!rc) rc = shard_bounds_read(&w->bounds, LM_SHARD_VERSION, spec->row_tokens, spec->identity);
    if (!rc) rc = lm_json_dump(spec->identity, 0, &w->identity);
    if (!rc) rc = lm_hasher_new(&w->hasher);
    if (!rc) rc = lm_out_open(&w->out, path, LM_OUT_PLAIN, 0);
    if (!rc) rc = write_header(w, spec);
    if (rc) lm_shard_writer_abandon(w);
    else *out = w;
    return rc;
}

static int add_row(lm_shard_writer *w, const void *ids, const lm_span *spans, size_t n)
{
    const char *fault = shard_spans_fault(&w->bounds, spans, n);
    if (fault) return lm_fail(LM_EUSAGE, "%s: row %" PRIu64 ": a span %s", w->path, w->rows, fault);
    size_t tokens = (size_t)w->bounds.row_tokens, bytes = tokens * w->width;
    uint32_t max = lm_ids_max(ids, tokens, w->width);
    if (max >= w->vocab)
        return lm_fail(LM_EDATA, "%s: row %" PRIu64 ": id %u of a vocabulary of %u", w->path,
                       w->rows, (unsigned)max, (unsigned)w->vocab);

    uint64_t sum = lm_hash64(ids, bytes);
    int rc = lm_out_write(w->out, ids, bytes);
    if (!rc) rc = spool_add(&w->queue[SEC_CHECKS], w->path, &sum, sizeof sum);
    if (!rc) rc = spool_add(&w->queue[SEC_INDEX], w->path, &w->spans, sizeof w->spans);
    if (!rc) rc = spool_add(&w->queue[SEC_SPANS], w->path, spans, n * sizeof *spans);
    w->rows++;
    w->spans += n;
    return rc;
}

int lm_shard_writer_row(lm_shard_writer *w, const void *ids, const lm_span *spans, size_t n)
{
    int rc = add_row(w, ids, spans, n);
    if (rc && !w->failed) w->failed = rc;
    return rc;
}

/* ---- the end --------------------------------------------------------------------------- */

static int emit(lm_shard_writer *w, const void *p, size_t n)
{
    lm_hasher_add(w->hasher, p, n);
    return lm_out_write(w->out, p, n);
}

static int emit_padding(lm_shard_writer *w)
{
    static const unsigned char zero[8];
    uint64_t at = lm_out_offset(w->out);
    return emit(w, zero, (size_t)(shard_pad8(at) - at));
}

/* What is still in memory is flushed, to read the file through its buffer. */
static int emit_spool(lm_shard_writer *w, enum shard_section which)
{
    spool *q = &w->queue[which];
    int rc = LM_OK;
    lm_hasher_reset(w->hasher);
    if (q->fd >= 0) {
        rc = spool_flush(q, w->path);
        for (uint64_t at = 0; at < q->total && !rc;) {
            size_t n = q->total - at < SPOOL_BYTES ? (size_t)(q->total - at) : SPOOL_BYTES;
            rc = lm_pread_all(q->fd, q->data, n, at, w->path);
            if (!rc) rc = emit(w, q->data, n);
            at += n;
        }
    } else {
        rc = emit(w, q->data, q->held);
    }
    w->sums[which] = lm_hasher_digest(w->hasher);
    return rc;
}

static int emit_json(lm_shard_writer *w, enum shard_section which, const lm_buf *text)
{
    lm_hasher_reset(w->hasher);
    int rc = emit(w, text->data, text->size);
    if (!rc) rc = emit_padding(w);
    w->sums[which] = lm_hasher_digest(w->hasher);
    return rc;
}

static int write_trailer(lm_shard_writer *w, size_t receipt_bytes)
{
    unsigned char t[TAIL_BYTES];
    lm_put64(t + TAIL_ROWS, w->rows);
    lm_put64(t + TAIL_SPANS, w->spans);
    lm_put64(t + TAIL_IDENTITY, w->identity.size);
    lm_put64(t + TAIL_RECEIPT, receipt_bytes);
    for (int i = 0; i < SECTIONS; i++) lm_put64(t + TAIL_SUMS + 8 * i, w->sums[i]);
    lm_put64(t + TAIL_HEAD_SUM, w->head_sum);
    lm_put64(t + TAIL_SIZE, lm_out_offset(w->out) + TAIL_BYTES);
    lm_put64(t + TAIL_SEAL, lm_hash64(t, TAIL_SEAL));
    memcpy(t + TAIL_MAGIC, SHARD_END, 8);
    return lm_out_write(w->out, t, sizeof t);
}

int lm_shard_writer_commit(lm_shard_writer *w, const lm_json *receipt)
{
    lm_buf text = LM_BUF_INIT(SHARD_JSON_MAX);
    int rc = w->failed ? lm_fail((enum lm_code)w->failed, "%s: a row was not written", w->path)
                       : lm_json_dump(receipt, 0, &text);
    if (!rc) rc = spool_add(&w->queue[SEC_INDEX], w->path, &w->spans, sizeof w->spans);
    if (!rc) rc = emit_padding(w);
    for (int i = SEC_CHECKS; i <= SEC_SPANS && !rc; i++) rc = emit_spool(w, (enum shard_section)i);
    if (!rc) rc = emit_json(w, SEC_IDENTITY, &w->identity);
    if (!rc) rc = emit_json(w, SEC_RECEIPT, &text);
    if (!rc) rc = write_trailer(w, text.size);
    if (rc) lm_out_abandon(w->out);
    else rc = lm_out_commit(w->out);
    lm_buf_free(&text);
    writer_free(w);
    return rc;
}
