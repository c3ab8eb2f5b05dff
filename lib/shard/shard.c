/* shard.c -- reading one .lms file. Tables are mapped and verified at open. Rows are read with
 * pread into the caller's memory, so that a failing disk is an error and not a signal; the file
 * is opened for each, so that a mixture of thousands of shards takes no descriptors. */
#include "longmix/shard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/endian.h"
#include "lib/base/fd.h"
#include "lib/base/hash.h"
#include "lib/base/ids.h"
#include "longmix/zio.h"
#include "lib/shard/internal.h"

/* A FIFO in place of a shard does not block. */
enum { OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

struct lm_shard {
    char *name;
    int fd; /* while it is being opened */
    bool labels;
    unsigned version, width;
    uint32_t vocab;
    uint64_t row_tokens, row_bytes, number, rows, spans, size, seal, identity_hash;
    uint64_t at[SECTIONS + 1]; /* file offsets of the sections; the last is the trailer's */
    void *map;                 /* all sections, from the page that holds the first */
    size_t map_bytes;
    const uint64_t *checks, *index; /* [rows], [rows + 1] */
    const lm_span *span;
    const lm_json *identity;
    lm_json *own_identity; /* NULL where `identity` is that of another shard */
    lm_json *receipt;
};

static const char *const section_name[SECTIONS] = { "row checksums", "row index", "span table",
                                                    "identity", "receipt" };

/* ---- rules shared with the writer ------------------------------------------------------ */

const char *shard_spans_fault(const shard_bounds *b, const lm_span *spans, size_t n)
{
    uint64_t at = 0;
    for (const lm_span *s = spans; s < spans + n; s++) {
        if (s->row_start != at) return "does not start where the one before ends";
        if (s->tokens == 0) return "is empty";
        if (s->tokens > b->row_tokens - at) return "goes past the end of its row";
        if (s->doc_start > s->doc_tokens || s->tokens > s->doc_tokens - s->doc_start)
            return "goes past the end of its document";
        if (s->domain >= b->domains) return "has a domain that the identity does not name";
        if (s->file >= b->files) return "has a file that the identity does not name";
        at += s->tokens;
    }
    return NULL;
}

int shard_bounds_read(shard_bounds *b, unsigned version, uint64_t row_tokens,
                      const lm_json *identity)
{
    const lm_json *domains = NULL, *files = NULL;
    uint64_t count = 0, hash = 0;
    int rc = lm_json_need(&domains, identity, "domains");
    if (!rc) rc = lm_json_need(&files, identity, "files");
    if (rc) return rc;
    if (lm_json_type(domains) != LM_JSON_ARRAY) return lm_json_fail(domains, "expected a list");
    if (version == 1) { /* the names themselves */
        if (lm_json_type(files) != LM_JSON_ARRAY) return lm_json_fail(files, "expected a list");
        count = lm_json_size(files);
    } else {
        rc = lm_json_u64(&count, files, "count");
        if (!rc) rc = lm_json_hex64(&hash, files, "xxh3");
        if (rc) return rc;
        if (count > (uint64_t)UINT32_MAX + 1) return lm_json_fail(files, "too many files");
    }
    *b = (shard_bounds){ row_tokens, lm_json_size(domains), (size_t)count };
    return LM_OK;
}

/* ---- opening --------------------------------------------------------------------------- */

static int read_header(lm_shard *s, uint64_t *sum)
{
    unsigned char h[LM_SHARD_DATA];
    if (s->size < LM_SHARD_DATA + TAIL_BYTES)
        return lm_fail(LM_EDATA, "%s: %" PRIu64 " bytes are too few for a shard", s->name, s->size);
    int rc = lm_pread_all(s->fd, h, sizeof h, 0, s->name);
    if (rc) return rc;
    if (memcmp(h, SHARD_MAGIC, 8))
        return lm_fail(LM_EDATA, "%s: byte 0: not a shard (its magic is absent)", s->name);
    s->version = lm_le32(h + HEAD_VERSION);
    if (s->version < 1 || s->version > LM_SHARD_VERSION)
        return lm_fail(LM_EDATA, "%s: byte %d: shard format version %u; this longmix reads 1 to %d",
                       s->name, HEAD_VERSION, s->version, LM_SHARD_VERSION);
    if (lm_le64(h + HEAD_SUM) != lm_hash64(h, HEAD_SUM))
        return lm_fail(LM_EDATA, "%s: byte 0: the header is damaged", s->name);
    *sum = lm_hash64(h, sizeof h);

    uint32_t labels = lm_le32(h + HEAD_LABELS);
    s->width = lm_le32(h + HEAD_WIDTH);
    s->row_tokens = lm_le64(h + HEAD_ROW_TOKENS);
    s->labels = labels == 1;
    s->vocab = lm_le32(h + HEAD_VOCAB);
    s->number = lm_le64(h + HEAD_NUMBER);
    s->row_bytes = s->row_tokens * s->width;
    if ((s->width != 2 && s->width != 4) || s->row_tokens < 1 || s->row_tokens > LM_ROW_MAX ||
        labels > 1 || s->vocab < 1 || (s->width == 2 && s->vocab > 65536))
        return lm_fail(LM_EDATA,
                       "%s: byte %d: the header is invalid: %u bytes per token, %" PRIu64
                       " tokens per row, %u ids",
                       s->name, HEAD_WIDTH, s->width, s->row_tokens, (unsigned)s->vocab);
    return LM_OK;
}

/* Read the trailer and lay out the sections; sums[] are what their checksums must be. */
static int read_trailer(lm_shard *s, uint64_t head_sum, uint64_t sums[SECTIONS],
                        uint64_t bytes[SECTIONS])
{
    unsigned char t[TAIL_BYTES];
    uint64_t where = s->size - TAIL_BYTES;
    int rc = lm_pread_all(s->fd, t, sizeof t, where, s->name);
    if (rc) return rc;
    if (memcmp(t + TAIL_MAGIC, SHARD_END, 8))
        return lm_fail(LM_EDATA,
                       "%s: byte %" PRIu64 ": no end marker: the shard is incomplete or cut off",
                       s->name, s->size - 8);
    s->seal = lm_le64(t + TAIL_SEAL);
    if (s->seal != lm_hash64(t, TAIL_SEAL))
        return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": the trailer is damaged", s->name, where);
    if (lm_le64(t + TAIL_HEAD_SUM) != head_sum)
        return lm_fail(LM_EDATA, "%s: byte 0: the header is not the one this shard was closed with",
                       s->name);

    s->rows = lm_le64(t + TAIL_ROWS);
    s->spans = lm_le64(t + TAIL_SPANS);
    bytes[SEC_IDENTITY] = lm_le64(t + TAIL_IDENTITY);
    bytes[SEC_RECEIPT] = lm_le64(t + TAIL_RECEIPT);
    /* Each count is bounded by the file's size first, so no sum below can overflow. */
    bool fits = s->rows <= s->size / s->row_bytes && s->spans <= s->size / sizeof(lm_span) &&
                bytes[SEC_IDENTITY] <= SHARD_JSON_MAX && bytes[SEC_RECEIPT] <= SHARD_JSON_MAX;
    if (fits) {
        bytes[SEC_CHECKS] = 8 * s->rows;
        bytes[SEC_INDEX] = 8 * (s->rows + 1);
        bytes[SEC_SPANS] = sizeof(lm_span) * s->spans;
        s->at[0] = LM_SHARD_DATA + shard_pad8(s->rows * s->row_bytes);
        for (int i = 0; i < SECTIONS; i++) {
            sums[i] = lm_le64(t + TAIL_SUMS + 8 * i);
            s->at[i + 1] = s->at[i] + shard_pad8(bytes[i]);
        }
    }
    if (!fits || s->at[SECTIONS] != where || lm_le64(t + TAIL_SIZE) != s->size)
        return lm_fail(LM_EDATA,
                       "%s: byte %" PRIu64
                       ": the trailer's counts do not make this file of %" PRIu64 " bytes",
                       s->name, where, s->size);
    return LM_OK;
}

static int map_sections(lm_shard *s, const uint64_t sums[SECTIONS])
{
    /* The bytes between the last row and the first section are zero. */
    unsigned char pad[8];
    uint64_t rows_end = LM_SHARD_DATA + s->rows * s->row_bytes;
    size_t gap = (size_t)(s->at[0] - rows_end);
    int rc = lm_pread_all(s->fd, pad, gap, rows_end, s->name);
    if (rc) return rc;
    for (size_t i = 0; i < gap; i++)
        if (pad[i])
            return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": padding that is not zero", s->name,
                           rows_end + i);

    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), from = s->at[0] / page * page;
    s->map_bytes = (size_t)(s->size - from);
    s->map = mmap(NULL, s->map_bytes, PROT_READ, MAP_SHARED, s->fd, (off_t)from);
    if (s->map == MAP_FAILED) {
        s->map = NULL;
        return lm_fail_errno(errno, "%s: mapping its tables", s->name);
    }
    const unsigned char *base = (const unsigned char *)s->map + (s->at[0] - from);
    for (int i = 0; i < SECTIONS; i++)
        if (lm_hash64(base + (s->at[i] - s->at[0]), (size_t)(s->at[i + 1] - s->at[i])) != sums[i])
            return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": the %s is damaged", s->name, s->at[i],
                           section_name[i]);
    s->checks = (const uint64_t *)(const void *)base;
    s->index = (const uint64_t *)(const void *)(base + (s->at[SEC_INDEX] - s->at[0]));
    s->span = (const lm_span *)(const void *)(base + (s->at[SEC_SPANS] - s->at[0]));
    return LM_OK;
}

static int parse_section(lm_json **out, const lm_shard *s, enum shard_section which, uint64_t bytes)
{
    char name[512];
    snprintf(name, sizeof name, "%.480s (%s)", s->name, section_name[which]);
    const char *text = (const char *)s->checks + (s->at[which] - s->at[0]);
    for (uint64_t i = bytes; i < s->at[which + 1] - s->at[which]; i++)
        if (text[i])
            return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": padding that is not zero", s->name,
                           s->at[which] + i);
    return lm_json_parse(out, text, (size_t)bytes, name);
}

static int verify_spans(const lm_shard *s)
{
    shard_bounds b;
    int rc = shard_bounds_read(&b, s->version, s->row_tokens, s->identity);
    if (rc) return rc;
    for (uint64_t r = 0; r <= s->rows; r++) {
        uint64_t from = r ? s->index[r - 1] : 0;
        if (s->index[r] < from || s->index[r] > s->spans || (r == 0 && s->index[0] != 0) ||
            (r == s->rows && s->index[r] != s->spans))
            return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": the row index is out of order", s->name,
                           s->at[SEC_INDEX] + 8 * r);
        if (r == 0) continue;
        const char *fault = shard_spans_fault(&b, s->span + from, (size_t)(s->index[r] - from));
        if (fault)
            return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": a span of row %" PRIu64 " %s", s->name,
                           s->at[SEC_SPANS] + from * sizeof(lm_span), r - 1, fault);
    }
    return LM_OK;
}

/* The identity, or `like`'s where it is the same text. */
static int read_identity(lm_shard *s, const lm_shard *like, uint64_t bytes)
{
    s->identity_hash =
        lm_hash64((const char *)s->checks + (s->at[SEC_IDENTITY] - s->at[0]), (size_t)bytes);
    if (like && like->identity_hash == s->identity_hash) {
        s->identity = like->identity;
        return LM_OK;
    }
    int rc = parse_section(&s->own_identity, s, SEC_IDENTITY, bytes);
    s->identity = s->own_identity;
    return rc;
}

int shard_open_like(lm_shard **out, const char *path, const lm_shard *like)
{
    *out = NULL;
    lm_shard *s = calloc(1, sizeof *s);
    if (!s) return lm_fail_nomem(sizeof *s);
    uint64_t head_sum = 0, sums[SECTIONS] = { 0 }, bytes[SECTIONS] = { 0 };
    struct stat st;
    int rc = LM_OK;
    s->fd = -1;
    s->name = strdup(path);
    if (!s->name) rc = lm_fail_nomem(strlen(path) + 1);
    else if ((s->fd = lm_fd_open_regular(path)) < 0) rc = s->fd;
    else if (fstat(s->fd, &st)) rc = lm_fail_errno(errno, "%s", path);
    else s->size = (uint64_t)st.st_size;
    if (!rc) rc = read_header(s, &head_sum);
    if (!rc) rc = read_trailer(s, head_sum, sums, bytes);
    if (!rc) rc = map_sections(s, sums);
    if (!rc) rc = read_identity(s, like, bytes[SEC_IDENTITY]);
    if (!rc) rc = parse_section(&s->receipt, s, SEC_RECEIPT, bytes[SEC_RECEIPT]);
    if (!rc) rc = verify_spans(s);
    if (s->fd >= 0) close(s->fd);
    if (rc) lm_shard_close(s);
    else *out = s;
    return rc;
}

int lm_shard_open(lm_shard **out, const char *path) { return shard_open_like(out, path, NULL); }

void lm_shard_close(lm_shard *s)
{
    if (!s) return;
    lm_json_free(s->own_identity);
    lm_json_free(s->receipt);
    if (s->map) munmap(s->map, s->map_bytes);
    free(s->name);
    free(s);
}

/* ---- what it says ---------------------------------------------------------------------- */

const char *lm_shard_name(const lm_shard *s) { return s->name; }
unsigned lm_shard_version(const lm_shard *s) { return s->version; }
uint64_t lm_shard_rows(const lm_shard *s) { return s->rows; }
uint64_t lm_shard_row_tokens(const lm_shard *s) { return s->row_tokens; }
bool lm_shard_labels(const lm_shard *s) { return s->labels; }
unsigned lm_shard_width(const lm_shard *s) { return s->width; }
uint32_t lm_shard_vocab(const lm_shard *s) { return s->vocab; }
uint64_t lm_shard_number(const lm_shard *s) { return s->number; }
uint64_t lm_shard_bytes(const lm_shard *s) { return s->size; }
uint64_t lm_shard_hash(const lm_shard *s) { return s->seal; }
const lm_json *lm_shard_identity(const lm_shard *s) { return s->identity; }
const lm_json *lm_shard_receipt(const lm_shard *s) { return s->receipt; }
uint64_t lm_shard_identity_hash(const lm_shard *s) { return s->identity_hash; }

/* ---- rows ------------------------------------------------------------------------------ */

static uint64_t row_offset(const lm_shard *s, uint64_t row)
{
    return LM_SHARD_DATA + row * s->row_bytes;
}

static int need_row(const lm_shard *s, uint64_t row)
{
    if (row < s->rows) return LM_OK;
    return lm_fail(LM_EUSAGE, "%s: row %" PRIu64 " of %" PRIu64 " (the first is 0)", s->name, row,
                   s->rows);
}

static int row_verdict(const lm_shard *s, uint64_t row, uint64_t sum, uint32_t max)
{
    if (sum != s->checks[row])
        return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": row %" PRIu64 " is damaged", s->name,
                       row_offset(s, row), row);
    if (max >= s->vocab)
        return lm_fail(LM_EDATA,
                       "%s: byte %" PRIu64 ": row %" PRIu64 " holds id %u of a vocabulary of %u",
                       s->name, row_offset(s, row), row, (unsigned)max, (unsigned)s->vocab);
    return LM_OK;
}

/* Widen n ids in place: they are, 16 bits each, in the upper half of ids[n]. What is written
 * never reaches what is still to be read; blocks let the compiler know. */
static void widen(uint32_t *ids, size_t n)
{
    const unsigned char *from = (const unsigned char *)ids + 2 * n;
    for (size_t i = 0; i < n;) {
        uint16_t block[1024];
        size_t k = n - i < 1024 ? n - i : 1024;
        memcpy(block, from + 2 * i, 2 * k);
        for (size_t j = 0; j < k; j++) ids[i + j] = block[j];
        i += k;
    }
}

static int open_rows(const lm_shard *s) { return lm_fd_open_regular(s->name); }

int lm_shard_row(const lm_shard *s, uint64_t row, uint32_t *ids)
{
    int rc = need_row(s, row);
    if (rc) return rc;
    int fd = open_rows(s);
    if (fd < 0) return fd;
    size_t n = (size_t)s->row_tokens, bytes = (size_t)s->row_bytes;
    unsigned char *raw = (unsigned char *)ids + (4 * n - bytes);
    rc = lm_pread_all(fd, raw, bytes, row_offset(s, row), s->name);
    close(fd);
    if (rc) return rc;
    uint64_t sum = lm_hash64(raw, bytes);
    if (s->width == 2) widen(ids, n);
    return row_verdict(s, row, sum, lm_ids_max(ids, n, 4));
}

int lm_shard_spans(const lm_shard *s, uint64_t row, const lm_span **out, size_t *n)
{
    int rc = need_row(s, row);
    if (rc) return rc;
    *out = s->span + s->index[row];
    *n = (size_t)(s->index[row + 1] - s->index[row]);
    return LM_OK;
}

/* ---- checking -------------------------------------------------------------------------- */

enum { BLOCK = 1 << 20 };

static int check_row(const lm_shard *s, int fd, uint64_t row, unsigned char *block, lm_hasher *h)
{
    uint32_t max = 0;
    lm_hasher_reset(h);
    for (uint64_t at = 0; at < s->row_bytes; at += BLOCK) {
        size_t n = s->row_bytes - at < BLOCK ? (size_t)(s->row_bytes - at) : BLOCK;
        int rc = lm_pread_all(fd, block, n, row_offset(s, row) + at, s->name);
        if (rc) return rc;
        lm_hasher_add(h, block, n);
        uint32_t m = lm_ids_max(block, n / s->width, s->width);
        if (m > max) max = m;
    }
    return row_verdict(s, row, lm_hasher_digest(h), max);
}

int lm_shard_check(const char *path, bool quick)
{
    lm_shard *s = NULL;
    lm_hasher *h = NULL;
    unsigned char *block = NULL;
    int fd = -1;
    int rc = lm_shard_open(&s, path);
    if (rc || quick) goto out;
    rc = lm_hasher_new(&h);
    if (!rc && !(block = malloc(BLOCK))) rc = lm_fail_nomem(BLOCK);
    if (!rc) rc = fd = open_rows(s);
    if (rc < 0) goto out;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    rc = LM_OK;
    for (uint64_t row = 0; row < s->rows && !rc; row++) rc = check_row(s, fd, row, block, h);
out:
    if (fd >= 0) close(fd);
    free(block);
    lm_hasher_free(h);
    lm_shard_close(s);
    return rc;
}
