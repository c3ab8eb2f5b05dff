#include "longmix/zio.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/base/threads.h"
#include "lib/base/fd.h"
#include "lib/io/foreign.h"
#include "lib/io/output.h"
#include "lib/io/unpack.h"

enum {
    RAW_BYTES = 512 * 1024,    /* of the file, read at a time */
    STAGE_BYTES = 1024 * 1024, /* buffered before a write */
};

/* ---- reading --------------------------------------------------------------------------- */

struct lm_in {
    char *name;
    int fd;
    bool raw_ended;
    unsigned char *raw; /* raw[pos..end) is read and not yet used */
    size_t pos, end;
    uint64_t raw_offset, offset;
    lm_hasher *hash;
    lm_unpack *unpack; /* NULL: plain */
};

/* Read into `to`: the bytes, 0 at the end, or LM_EIO. */
static ssize_t raw_read(lm_in *in, void *to, size_t n)
{
    ssize_t got = lm_fd_read(in->fd, to, n, in->raw_offset, in->name);
    if (got < 0) return got;
    if (got == 0) in->raw_ended = true;
    lm_hasher_add(in->hash, to, (size_t)got);
    in->raw_offset += (uint64_t)got;
    return got;
}

/* Refill the empty raw buffer. */
static int refill(lm_in *in)
{
    in->pos = in->end = 0;
    ssize_t got = raw_read(in, in->raw, RAW_BYTES);
    if (got < 0) return (int)got;
    in->end = (size_t)got;
    return LM_OK;
}

static uint64_t raw_used(const lm_in *in) { return in->raw_offset - (in->end - in->pos); }

static int damaged(const lm_in *in, const char *what)
{
    if (!what) return lm_fail_nomem(RAW_BYTES);
    return lm_fail(LM_EDATA, "%s: damaged at compressed byte %" PRIu64 ": %s", in->name,
                   raw_used(in), what);
}

static int truncated(const lm_in *in)
{
    return lm_fail(LM_EDATA, "%s: truncated: the compressed data breaks off at byte %" PRIu64,
                   in->name, in->raw_offset);
}

/* A plain input must not be named like a compressed one. */
static int check_name(const lm_in *in)
{
    enum lm_packing named = lm_packing_named(in->name);
    if (named == LM_PLAIN) return LM_OK;
    /* An empty compressed file has bytes, too: this one is truncated. */
    if (in->end < 4 || lm_packing_cut(in->raw, in->end)) return truncated(in);
    const lm_foreign *f = lm_foreign_format(in->raw, in->end);
    if (f) return lm_foreign_fail(in->name, f);
    return lm_fail(LM_EDATA,
                   "%s: its name says %s, but the content is not compressed: rename it, or replace "
                   "it with the file that was meant",
                   in->name, lm_packing_name(named));
}

/* Read until the first bytes identify the packing. */
static int find_packing(lm_in *in)
{
    while (in->end < LM_PACKING_HEAD && !in->raw_ended) {
        ssize_t got = raw_read(in, in->raw + in->end, RAW_BYTES - in->end);
        if (got < 0) return (int)got;
        in->end += (size_t)got;
    }
    enum lm_packing packing = lm_packing_of(in->raw, in->end);
    if (packing != LM_PLAIN) return lm_unpack_new(&in->unpack, packing);
    return check_name(in);
}

int lm_in_open(lm_in **out, const char *path)
{
    int rc = LM_OK;
    bool standard = !strcmp(path, "-");
    lm_in *in = calloc(1, sizeof *in);
    if (!in) return lm_fail_nomem(sizeof *in);
    in->name = strdup(standard ? "stdin" : path);
    in->raw = malloc(RAW_BYTES);
    struct stat st;
    if (!in->name || !in->raw) {
        rc = lm_fail_nomem(RAW_BYTES);
        goto out;
    }
    in->fd = standard ? STDIN_FILENO : lm_fd_open(path);
    if (in->fd < 0) {
        rc = in->fd;
        goto out;
    }
    if (fstat(in->fd, &st)) {
        rc = lm_fail_errno(errno, "%s: cannot open", in->name);
        goto out;
    }
    if (S_ISDIR(st.st_mode)) {
        rc = lm_fail(LM_EIO, "%s: is a directory, not a file", in->name);
        goto out;
    }
    (void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint; pipes refuse it */
    rc = lm_hasher_new(&in->hash);
    if (!rc) rc = find_packing(in);
out:
    if (rc) {
        lm_in_close(in);
        in = NULL;
    }
    *out = in;
    return rc;
}

static ssize_t read_plain(lm_in *in, unsigned char *to, size_t n)
{
    if (in->pos == in->end) return raw_read(in, to, n);
    size_t k = in->end - in->pos < n ? in->end - in->pos : n;
    memcpy(to, in->raw + in->pos, k);
    in->pos += k;
    return (ssize_t)k;
}

static ssize_t read_packed(lm_in *in, unsigned char *to, size_t n)
{
    const char *why = NULL;
    for (;;) {
        if (in->pos == in->end && !lm_unpack_more(in->unpack)) {
            int rc = refill(in);
            if (rc) return rc;
            if (in->raw_ended) {
                rc = lm_unpack_end(in->unpack, &why);
                return rc > 0 ? 0 : rc == 0 ? truncated(in) : damaged(in, why);
            }
        }
        size_t used = 0;
        ssize_t got =
            lm_unpack_step(in->unpack, in->raw + in->pos, in->end - in->pos, &used, to, n, &why);
        in->pos += used;
        if (got < 0) return damaged(in, why);
        if (got) return got;
    }
}

ssize_t lm_in_read(lm_in *in, void *buf, size_t n)
{
    if (n == 0) return 0;
    if (n > SSIZE_MAX) n = SSIZE_MAX;
    ssize_t got = in->unpack ? read_packed(in, buf, n) : read_plain(in, buf, n);
    if (got > 0) in->offset += (uint64_t)got;
    return got;
}

int lm_in_exact(lm_in *in, void *buf, size_t n)
{
    size_t have = 0;
    while (have < n) {
        ssize_t got = lm_in_read(in, (unsigned char *)buf + have, n - have);
        if (got < 0) return (int)got;
        if (got == 0 && have == 0) return 0;
        if (got == 0)
            return lm_fail(LM_EDATA, "%s: truncated: ends at byte %" PRIu64 ", %zu bytes too early",
                           in->name, in->offset, n - have);
        have += (size_t)got;
    }
    return 1;
}

int lm_in_all(lm_in *in, lm_buf *out)
{
    for (;;) {
        unsigned char beyond;
        bool full = out->size == out->max; /* one byte more would be too much */
        int rc = full ? LM_OK : lm_buf_reserve(out, 1);
        if (rc) return rc;
        ssize_t got = full ? lm_in_read(in, &beyond, 1)
                           : lm_in_read(in, out->data + out->size, out->cap - out->size);
        if (got <= 0) return (int)got;
        if (full) return lm_fail(LM_EDATA, "%s: larger than %zu bytes", in->name, out->max);
        out->size += (size_t)got;
    }
}

uint64_t lm_in_raw_offset(const lm_in *in) { return in->raw_offset; }
uint64_t lm_in_raw_hash(const lm_in *in) { return lm_hasher_digest(in->hash); }
const char *lm_in_name(const lm_in *in) { return in->name; }
bool lm_in_packed(const lm_in *in) { return in->unpack != NULL; }

void lm_in_close(lm_in *in)
{
    if (!in) return;
    if (in->fd > STDERR_FILENO) close(in->fd);
    lm_unpack_free(in->unpack);
    lm_hasher_free(in->hash);
    free(in->raw);
    free(in->name);
    free(in);
}

/* ---- writing --------------------------------------------------------------------------- */

struct lm_out {
    lm_output file;
    int failed; /* the first error of a write */
    unsigned char *stage;
    size_t staged;
    uint64_t offset;
    ZSTD_CCtx *zstd;
};

int lm_out_open(lm_out **out, const char *path, enum lm_out_format format, int level)
{
    int rc = LM_OK;
    lm_out *o = calloc(1, sizeof *o);
    if (!o) return lm_fail_nomem(sizeof *o);
    o->file.fd = -1;
    o->stage = malloc(STAGE_BYTES);
    if (!o->stage) {
        rc = lm_fail_nomem(STAGE_BYTES);
        goto out;
    }
    if (format == LM_OUT_ZSTD) {
        o->zstd = ZSTD_createCCtx();
        if (!o->zstd ||
            ZSTD_isError(ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, level)) ||
            ZSTD_isError(ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_checksumFlag, 1))) {
            rc = lm_fail_nomem(STAGE_BYTES);
            goto out;
        }
    }
    rc = lm_output_locate(&o->file, path);
    if (!rc) rc = lm_output_open(&o->file, LM_OUTPUT_NEW);
out:
    if (rc) {
        lm_out_abandon(o);
        o = NULL;
    }
    *out = o;
    return rc;
}

static int flush_stage(lm_out *o)
{
    int rc = lm_write_all(o->file.fd, o->stage, o->staged, o->file.path);
    o->staged = 0;
    return rc;
}

static int write_plain(lm_out *o, const unsigned char *p, size_t n)
{
    if (n > STAGE_BYTES - o->staged) {
        int rc = flush_stage(o);
        if (rc) return rc;
    }
    if (n >= STAGE_BYTES) return lm_write_all(o->file.fd, p, n, o->file.path);
    memcpy(o->stage + o->staged, p, n);
    o->staged += n;
    return LM_OK;
}

/* Feed n bytes to the compressor; with ZSTD_e_end, also close the frame. */
static int write_zstd(lm_out *o, const unsigned char *p, size_t n, ZSTD_EndDirective how)
{
    ZSTD_inBuffer from = { p, n, 0 };
    for (;;) {
        ZSTD_outBuffer into = { o->stage, STAGE_BYTES, o->staged };
        size_t left = ZSTD_compressStream2(o->zstd, &into, &from, how);
        if (ZSTD_isError(left))
            return lm_fail(LM_EIO, "%s: zstd: %s", o->file.path, ZSTD_getErrorName(left));
        o->staged = into.pos;
        if (from.pos == from.size && (how == ZSTD_e_continue || left == 0)) return LM_OK;
        int rc = flush_stage(o);
        if (rc) return rc;
    }
}

int lm_out_write(lm_out *o, const void *p, size_t n)
{
    if (n == 0) return LM_OK;
    int rc = o->zstd ? write_zstd(o, p, n, ZSTD_e_continue) : write_plain(o, p, n);
    if (rc && !o->failed) o->failed = rc;
    o->offset += n;
    return rc;
}

uint64_t lm_out_offset(const lm_out *o) { return o->offset; }

int lm_out_commit(lm_out *o)
{
    int rc = o->failed ? lm_fail(o->failed, "%s: an earlier write failed", o->file.path) : LM_OK;
    if (!rc && o->zstd) rc = write_zstd(o, NULL, 0, ZSTD_e_end);
    if (!rc) rc = flush_stage(o);
    if (!rc) rc = lm_output_commit(&o->file);
    lm_out_abandon(o);
    return rc;
}

void lm_out_abandon(lm_out *o)
{
    if (!o) return;
    lm_output_abandon(&o->file);
    ZSTD_freeCCtx(o->zstd);
    free(o->stage);
    free(o);
}
