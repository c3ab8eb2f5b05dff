/* unpack.c -- gzip, zstd, bz2 and xz: any number of members, frames or streams, with zero bytes after
 * the last of gzip and the stream padding of xz. Anything else that follows is damage. */
#include "lib/io/unpack.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "lib/base/text.h"

enum { WINDOW_LOG_MAX = 31 };
/* Enough for a dictionary of 2 GiB, as for a window of zstd. */
#define XZ_MEMORY_MAX ((uint64_t)3 << 30)

struct lm_unpack {
    enum lm_packing packing;
    bool inside;  /* a member, frame or stream has begun and not ended */
    bool more;    /* output may be held back */
    bool open;    /* gzip, bz2: the state below is to be freed */
    bool padding; /* gzip: zero bytes follow the last member */
    union {
        ZSTD_DCtx *zstd;
        z_stream gzip;
        bz_stream bz2;
        lzma_stream xz;
    } u;
};

/* ---- which packing --------------------------------------------------------------------- */

static bool begins(const unsigned char *head, size_t n, const char *magic, size_t size)
{
    return n >= size && !memcmp(head, magic, size);
}

enum lm_packing lm_packing_of(const unsigned char *m, size_t n)
{
    if (begins(m, n, "\x1f\x8b\x08", 3)) return LM_GZIP;
    if (begins(m, n, "\x28\xb5\x2f\xfd", 4)) return LM_ZSTD;
    if (n >= 4 && m[0] >> 4 == 5 && !memcmp(m + 1, "\x2a\x4d\x18", 3))
        return LM_ZSTD; /* skippable */
    if (begins(m, n,
               "\xfd"
               "7zXZ\0",
               6))
        return LM_XZ;
    /* A file of text may begin with "BZh9": the next bytes are those of a block, or of the end. */
    if (begins(m, n, "BZh", 3) && n >= 10 && m[3] >= '1' && m[3] <= '9' &&
        (!memcmp(m + 4, "\x31\x41\x59\x26\x53\x59", 6) ||
         !memcmp(m + 4, "\x17\x72\x45\x38\x50\x90", 6)))
        return LM_BZ2;
    return LM_PLAIN;
}

bool lm_packing_cut(const unsigned char *head, size_t n)
{
    return n < LM_PACKING_HEAD && (begins(head, n, "BZh", 3) || begins(head, n,
                                                                       "\xfd"
                                                                       "7zX",
                                                                       4));
}

enum lm_packing lm_packing_named(const char *path)
{
    static const struct {
        const char *tail;
        enum lm_packing packing;
    } tails[] = { { ".gz", LM_GZIP },
                  { ".zst", LM_ZSTD },
                  { ".zstd", LM_ZSTD },
                  { ".bz2", LM_BZ2 },
                  { ".xz", LM_XZ } };
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        size_t k = strlen(tails[i].tail);
        if (n > k && !strcasecmp(path + n - k, tails[i].tail)) return tails[i].packing;
    }
    return LM_PLAIN;
}

const char *lm_packing_name(enum lm_packing p)
{
    static const char *const names[] = { "plain", "gzip", "zstd", "bz2", "xz" };
    return names[p];
}

/* ---- states ---------------------------------------------------------------------------- */

static bool begin(lm_unpack *u)
{
    switch (u->packing) {
    case LM_GZIP:
        /* 15 is the largest window, 16 selects the gzip header and checksum. */
        return u->open = inflateInit2(&u->u.gzip, 15 + 16) == Z_OK;
    case LM_ZSTD:
        u->u.zstd = ZSTD_createDCtx();
        return u->u.zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(u->u.zstd, ZSTD_d_windowLogMax,
                                                                 WINDOW_LOG_MAX));
    case LM_BZ2: return u->open = BZ2_bzDecompressInit(&u->u.bz2, 0, 0) == BZ_OK;
    case LM_XZ:
        u->inside = true; /* until lm_unpack_end */
        u->u.xz = (lzma_stream)LZMA_STREAM_INIT;
        return lzma_stream_decoder(&u->u.xz, XZ_MEMORY_MAX,
                                   LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK) == LZMA_OK;
    case LM_PLAIN: break;
    }
    return false;
}

int lm_unpack_new(lm_unpack **out, enum lm_packing packing)
{
    lm_unpack *u = calloc(1, sizeof *u);
    *out = u;
    if (!u) return lm_fail_nomem(sizeof *u);
    u->packing = packing;
    if (begin(u)) return LM_OK;
    lm_unpack_free(u);
    *out = NULL;
    return lm_fail_nomem(sizeof *u);
}

void lm_unpack_free(lm_unpack *u)
{
    if (!u) return;
    if (u->packing == LM_GZIP && u->open) inflateEnd(&u->u.gzip);
    if (u->packing == LM_BZ2 && u->open) BZ2_bzDecompressEnd(&u->u.bz2);
    if (u->packing == LM_ZSTD) ZSTD_freeDCtx(u->u.zstd);
    if (u->packing == LM_XZ) lzma_end(&u->u.xz);
    free(u);
}

/* ---- steps ----------------------------------------------------------------------------- */

/* A step's input and output; zlib and libbz2 count in 32 bits. */
typedef struct step {
    const unsigned char *from;
    size_t n, used;
    unsigned char *to;
    size_t room, made;
    bool failed;
    const char *why; /* what is damaged; NULL where there is no memory */
} step;

static void fail(step *s, const char *why)
{
    s->failed = true;
    s->why = why;
}

static unsigned low(size_t n) { return n < UINT32_MAX / 2 ? (unsigned)n : UINT32_MAX / 2; }

static void step_zstd(lm_unpack *u, step *s)
{
    ZSTD_inBuffer from = { s->from, s->n, 0 };
    ZSTD_outBuffer into = { s->to, s->room, 0 };
    size_t left = ZSTD_decompressStream(u->u.zstd, &into, &from);
    s->used = from.pos;
    s->made = into.pos;
    if (ZSTD_isError(left)) {
        bool memory = ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation;
        fail(s, memory ? NULL : ZSTD_getErrorName(left));
        return;
    }
    u->inside = left != 0;
    u->more = u->inside && into.pos == into.size;
}

/* gzip's own tool accepts zero bytes after the last member: tapes and disks leave them. */
static void skip_padding(step *s)
{
    while (s->used < s->n && !s->from[s->used]) s->used++;
    if (s->used < s->n) fail(s, "something other than zero bytes follows the padding");
}

static void step_gzip(lm_unpack *u, step *s)
{
    z_stream *z = &u->u.gzip;
    if (!u->inside && s->n && !s->from[0]) u->padding = true;
    if (u->padding) {
        skip_padding(s);
        return;
    }
    unsigned from = low(s->n), room = low(s->room);
    if (!u->inside) (void)inflateReset(z);
    z->next_in = (unsigned char *)s->from;
    z->avail_in = from;
    z->next_out = s->to;
    z->avail_out = room;
    int rc = inflate(z, Z_NO_FLUSH);
    s->used = from - z->avail_in;
    s->made = room - z->avail_out;
    /* Z_BUF_ERROR: no progress was possible; more input is what it needs. */
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        fail(s, rc == Z_MEM_ERROR ? NULL : z->msg ? z->msg : zError(rc));
    u->inside = rc != Z_STREAM_END;
    u->more = u->inside && z->avail_out == 0;
}

static void step_bz2(lm_unpack *u, step *s)
{
    bz_stream *b = &u->u.bz2;
    if (!u->open) { /* another stream */
        memset(b, 0, sizeof *b);
        u->open = BZ2_bzDecompressInit(b, 0, 0) == BZ_OK;
        if (!u->open) {
            fail(s, NULL);
            return;
        }
    }
    unsigned from = low(s->n), room = low(s->room);
    b->next_in = (char *)s->from;
    b->avail_in = from;
    b->next_out = (char *)s->to;
    b->avail_out = room;
    int rc = BZ2_bzDecompress(b);
    s->used = from - b->avail_in;
    s->made = room - b->avail_out;
    if (rc != BZ_OK && rc != BZ_STREAM_END)
        fail(s, rc == BZ_MEM_ERROR          ? NULL
                : rc == BZ_DATA_ERROR_MAGIC ? "no bz2 stream begins here"
                                            : "a block or its checksum is wrong");
    u->inside = rc != BZ_STREAM_END;
    u->more = u->inside && b->avail_out == 0;
    if (rc == BZ_STREAM_END) {
        BZ2_bzDecompressEnd(b);
        u->open = false;
    }
}

static const char *xz_fault(lzma_ret rc)
{
    switch (rc) {
    case LZMA_FORMAT_ERROR: return "no xz stream begins here";
    case LZMA_OPTIONS_ERROR: return "options that liblzma does not know";
    case LZMA_UNSUPPORTED_CHECK: return "a checksum that liblzma does not know";
    case LZMA_MEMLIMIT_ERROR: return "a dictionary larger than 2 GiB";
    case LZMA_MEM_ERROR: return NULL;
    default: return "a block or its checksum is wrong";
    }
}

static void step_xz(lm_unpack *u, step *s)
{
    lzma_stream *x = &u->u.xz;
    x->next_in = s->from;
    x->avail_in = s->n;
    x->next_out = s->to;
    x->avail_out = s->room;
    lzma_ret rc = lzma_code(x, LZMA_RUN);
    s->used = s->n - x->avail_in;
    s->made = s->room - x->avail_out;
    if (rc != LZMA_OK && rc != LZMA_BUF_ERROR) fail(s, xz_fault(rc));
    u->more = x->avail_out == 0;
}

ssize_t lm_unpack_step(lm_unpack *u, const unsigned char *from, size_t n, size_t *used,
                       unsigned char *to, size_t room, const char **why)
{
    step s = { from, n, 0, to, room, 0, false, NULL };
    switch (u->packing) {
    case LM_GZIP: step_gzip(u, &s); break;
    case LM_ZSTD: step_zstd(u, &s); break;
    case LM_BZ2: step_bz2(u, &s); break;
    case LM_XZ: step_xz(u, &s); break;
    case LM_PLAIN: break;
    }
    *used = s.used;
    *why = s.why;
    return s.failed ? -1 : (ssize_t)s.made;
}

bool lm_unpack_more(const lm_unpack *u) { return u->more; }

int lm_unpack_end(lm_unpack *u, const char **why)
{
    if (u->packing != LM_XZ) return !u->inside;
    /* Stream padding is complete or not only at the end. */
    unsigned char none;
    u->u.xz.next_in = NULL;
    u->u.xz.avail_in = 0;
    u->u.xz.next_out = &none;
    u->u.xz.avail_out = 1;
    lzma_ret rc = lzma_code(&u->u.xz, LZMA_FINISH);
    if (rc == LZMA_STREAM_END) return 1;
    if (rc == LZMA_BUF_ERROR || rc == LZMA_OK) return 0;
    *why = rc == LZMA_DATA_ERROR ? "padding that is not a multiple of four bytes" : xz_fault(rc);
    return -1;
}
