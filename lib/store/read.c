/* read.c -- a complete store by its index: any document alone, by any number of threads.
 * Nothing is mapped: what is read with pread does not count as memory in use. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/ids.h"
#include "lib/base/threads.h"
#include "longmix/zio.h"
#include "lib/store/internal.h"

/* lm_entry.where: the part above, the offset in its file below. */
enum { WHERE_BITS = 48 };

typedef struct part {
    int fd;
    uint64_t records; /* offset of the first */
    uint64_t first;   /* number of its first document */
    lmstore_trailer end;
    lmstore_limits limits;
} part;

struct lm_store {
    char *name;
    lmstore_parts parts;
    part *part; /* [parts.n] */
    lm_meta meta;
    uint64_t documents, tokens, content;
};

/* LM_EDATA at byte `offset` of a part. */
static int fault(const lm_store *s, size_t k, uint64_t offset, const char *what, const char *why)
{
    return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": %s%s%s", s->parts.path[k], offset, what,
                   why ? ": " : "", why ? why : "");
}

/* ---- open --------------------------------------------------------------------------- */

/* Read header and trailer of one part. */
static int open_part(part *p, const char *path, lm_meta *meta)
{
    struct stat st;
    unsigned char end[TRAILER];
    lmstore_reader r;
    int rc = lmstore_reader_open(&r, path, true);
    if (rc) return rc;
    rc = lmstore_reader_header(&r, meta);
    p->records = r.offset;
    p->fd = r.fd;
    r.fd = -1; /* it stays with the part */
    lmstore_reader_close(&r);
    if (rc) return rc;
    p->limits = lmstore_limits_of(meta);

    if (fstat(p->fd, &st)) return lm_fail_errno(errno, "%s", path);
    posix_fadvise(p->fd, 0, 0, POSIX_FADV_RANDOM);
    uint64_t size = (uint64_t)st.st_size;
    if (size < p->records + INDEX_HEAD + TRAILER)
        return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": truncated: the end marker is missing", path,
                       size);
    rc = lm_pread_all(p->fd, end, TRAILER, size - TRAILER, path);
    if (rc) return rc;
    const char *why = lmstore_trailer_get(end, meta->version, &p->end);
    if (!why && (p->end.size != size || p->end.index < p->records))
        why = "the trailer belongs to another file";
    if (why) return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": %s", path, size - TRAILER, why);

    unsigned char head[INDEX_HEAD];
    uint64_t documents = 0;
    rc = lm_pread_all(p->fd, head, INDEX_HEAD, p->end.index, path);
    if (!rc && (!lmstore_index_head_get(head, &documents) || documents != p->end.sums.documents))
        rc = lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": the head of the index is damaged", path,
                     p->end.index);
    return rc;
}

static int open_parts(lm_store *s)
{
    size_t n = s->parts.n;
    lm_meta *metas = calloc(n, sizeof *metas);
    s->part = calloc(n, sizeof *s->part);
    if (!metas || !s->part) {
        free(metas);
        return lm_fail_nomem(n * sizeof *s->part);
    }
    for (size_t i = 0; i < n; i++) s->part[i].fd = -1;
    int rc = LM_OK;
    for (size_t i = 0; i < n && !rc; i++) {
        part *p = &s->part[i];
        rc = open_part(p, s->parts.path[i], &metas[i]);
        p->first = s->documents;
        s->content = lmstore_content_join(s->content, s->documents, p->end.sums.content);
        s->documents += p->end.sums.documents;
        s->tokens += p->end.sums.tokens;
    }
    if (!rc) rc = lmstore_parts_meta(&s->parts, metas, &s->meta);
    else
        for (size_t i = 0; i < n; i++) lm_meta_free(&metas[i]);
    free(metas);
    return rc;
}

int lm_store_open(lm_store **out, const char *path)
{
    if (!strcmp(path, "-"))
        return lm_fail(
            LM_EUSAGE,
            "standard input cannot be read by its index; write the store to a file first");
    lm_store *s = calloc(1, sizeof *s);
    if (!s) return lm_fail_nomem(sizeof *s);
    s->name = strdup(path);
    int rc = s->name ? lmstore_parts_find(&s->parts, path) : lm_fail_nomem(strlen(path));
    if (!rc) rc = open_parts(s);
    if (rc) {
        lm_store_close(s);
        return rc;
    }
    *out = s;
    return LM_OK;
}

void lm_store_close(lm_store *s)
{
    if (!s) return;
    for (size_t i = 0; s->part && i < s->parts.n; i++)
        if (s->part[i].fd >= 0) close(s->part[i].fd);
    free(s->part);
    lmstore_parts_free(&s->parts);
    lm_meta_free(&s->meta);
    free(s->name);
    free(s);
}

const lm_meta *lm_store_meta(const lm_store *s) { return &s->meta; }
const char *lm_store_name(const lm_store *s) { return s->name; }
uint64_t lm_store_documents(const lm_store *s) { return s->documents; }
uint64_t lm_store_tokens(const lm_store *s) { return s->tokens; }
uint64_t lm_store_hash(const lm_store *s) { return s->content; }

bool lm_store_is(const lm_store *s, const char *path)
{
    struct stat mine, other;
    if (stat(path, &other)) return false;
    for (size_t i = 0; i < s->parts.n; i++)
        if (!fstat(s->part[i].fd, &mine) && mine.st_dev == other.st_dev &&
            mine.st_ino == other.st_ino)
            return true;
    return false;
}

/* ---- the index ---------------------------------------------------------------------- */

/* The part that document `i` is in. */
static size_t part_of(const lm_store *s, uint64_t i)
{
    size_t low = 0, high = s->parts.n;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (s->part[mid].first <= i) low = mid;
        else high = mid;
    }
    while (i - s->part[low].first >= s->part[low].end.sums.documents) low++; /* past empty parts */
    return low;
}

/* Read and verify block `b` of a part; *n entries are in it. */
static int read_block(const lm_store *s, size_t k, uint64_t b, unsigned char block[BLOCK_MAX],
                      size_t *n)
{
    const part *p = &s->part[k];
    uint64_t left = p->end.sums.documents - b * BLOCK_ENTRIES;
    uint64_t at = p->end.index + INDEX_HEAD + b * BLOCK_MAX;
    *n = left < BLOCK_ENTRIES ? (size_t)left : BLOCK_ENTRIES;
    int rc = lm_pread_all(p->fd, block, *n * ENTRY + 8, at, s->parts.path[k]);
    if (!rc && !lmstore_block_good(block, *n))
        rc = fault(s, k, at, "the index is damaged", "the checksum of a block does not match");
    return rc;
}

/* Several blocks are needed: have the system prefetch them together. */
static void prefetch_blocks(const lm_store *s, uint64_t first, size_t n)
{
    const part *p = &s->part[part_of(s, first)];
    uint64_t block = (first - p->first) / BLOCK_ENTRIES;
    posix_fadvise(p->fd, (off_t)(p->end.index + INDEX_HEAD + block * BLOCK_MAX),
                  (off_t)(lmstore_index_size(n) + BLOCK_MAX), POSIX_FADV_WILLNEED);
}

int lm_store_entries(lm_store *s, uint64_t first, size_t n, lm_entry *out)
{
    unsigned char block[BLOCK_MAX];
    if (n > LM_ENTRIES_MAX || first > s->documents || n > s->documents - first)
        return lm_fail(LM_EUSAGE,
                       "%s: entries %" PRIu64 " to %" PRIu64 " were asked for, %" PRIu64
                       " are there",
                       s->name, first, first + n, s->documents);
    if (n > BLOCK_ENTRIES) prefetch_blocks(s, first, n);
    while (n) {
        size_t k = part_of(s, first), have = 0;
        uint64_t i = first - s->part[k].first;
        int rc = read_block(s, k, i / BLOCK_ENTRIES, block, &have);
        if (rc) return rc;
        for (size_t j = i % BLOCK_ENTRIES; j < have && n; j++, n--, first++) {
            lm_entry e = lmstore_entry_get(block + j * ENTRY);
            if (e.domain >= s->meta.domains || e.tokens > DOC_TOKENS_MAX || e.where >> WHERE_BITS)
                return lm_fail(LM_EDATA,
                               "%s: document %" PRIu64 ": its index entry is not possible", s->name,
                               first);
            e.where |= (uint64_t)k << WHERE_BITS;
            *out++ = e;
        }
    }
    return LM_OK;
}

int lm_store_each(lm_store *s, int (*fn)(void *arg, uint64_t number, const lm_entry *e), void *arg)
{
    lm_entry *block = malloc(LM_ENTRIES_MAX * sizeof *block);
    int rc = block ? LM_OK : lm_fail_nomem(LM_ENTRIES_MAX * sizeof *block);
    for (uint64_t first = 0; !rc && first < s->documents; first += LM_ENTRIES_MAX) {
        uint64_t rest = s->documents - first;
        size_t n = rest < LM_ENTRIES_MAX ? (size_t)rest : LM_ENTRIES_MAX;
        rc = lm_check_interrupt();
        if (!rc) rc = lm_store_entries(s, first, n, block);
        for (size_t i = 0; !rc && i < n; i++) rc = fn(arg, first + i, &block[i]);
    }
    free(block);
    return rc;
}

/* ---- documents ---------------------------------------------------------------------- */

static const part *find_part(const lm_store *s, const lm_entry *e, uint64_t *offset, size_t *k)
{
    *k = (size_t)(e->where >> WHERE_BITS);
    *offset = e->where & ((UINT64_C(1) << WHERE_BITS) - 1);
    return &s->part[*k];
}

/* Read a document's record, with up to PIECE_HEAD - DOC_HEAD bytes of what follows it, to `skip` bytes
 * behind the end of `buf`, where it is verified. Its size is *size. */
static int read_record(lm_store *s, const lm_entry *e, lm_buf *buf, size_t skip, lm_record *r,
                       uint64_t *size)
{
    uint64_t offset = 0;
    size_t k = 0;
    const part *p = find_part(s, e, &offset, &k);
    /* Enough for the longer head. A read that is too long stays inside the file, because
     * index and trailer are longer than the difference. */
    uint64_t most = PIECE_HEAD + store_pad8(e->tokens * p->limits.width);
    if (offset < p->records || offset + most > p->end.size)
        return fault(s, k, offset, "the index points here, where no record fits", NULL);
    int rc = lm_buf_reserve(buf, skip + (size_t)most);
    unsigned char *at = rc ? NULL : buf->data + buf->size + skip;
    if (!rc) rc = lm_pread_all(p->fd, at, (size_t)most, offset, s->parts.path[k]);
    if (rc) return rc;
    *size = lmstore_record_size(at, p->limits.width);
    const char *why = "not a record";
    if (*size && *size <= most) why = lmstore_record_parse(at, *size, &p->limits, r);
    if (!why && (r->kind != LM_REC_DOC || r->doc.key != e->key || r->doc.tokens != e->tokens ||
                 r->doc.domain != e->domain))
        why = "it does not match the index";
    if (why) return fault(s, k, offset, "the record is damaged", why);
    r->doc.file += (uint32_t)s->parts.first_file[k];
    return LM_OK;
}

int lm_store_read(lm_store *s, const lm_entry *e, lm_buf *buf, lm_record *r)
{
    uint64_t size = 0;
    buf->size = 0;
    int rc = read_record(s, e, buf, 0, r, &size);
    if (!rc) buf->size = (size_t)size;
    return rc;
}

int lm_store_copy(lm_store *s, const lm_entry *e, unsigned copy, unsigned flags, lm_buf *out)
{
    enum { SKIP = PIECE_HEAD - DOC_HEAD }; /* a document's tokens then lie where a piece's do */
    lm_record r;
    uint64_t size = 0;
    size_t at = out->size, bytes = (size_t)e->tokens * s->meta.width;
    int rc = read_record(s, e, out, SKIP, &r, &size);
    if (rc) return rc;
    unsigned char *tokens = out->data + at + PIECE_HEAD;
    if (r.tokens != tokens) memmove(tokens, r.tokens, bytes);
    lm_doc d = r.doc;
    d.doc_tokens = d.unit_tokens = d.tokens;
    d.start = 0;
    d.copy = (uint8_t)copy;
    d.flags = (uint8_t)flags;
    out->size = at + PIECE_HEAD + bytes;
    rc = lm_record_end(out, at, true, s->meta.width, &d);
    if (rc) out->size = at;
    return rc;
}

void lm_store_prefetch(lm_store *s, const lm_entry *e)
{
    uint64_t offset = 0;
    size_t k = 0;
    const part *p = find_part(s, e, &offset, &k);
    posix_fadvise(p->fd, (off_t)offset, (off_t)(PIECE_HEAD + e->tokens * p->limits.width),
                  POSIX_FADV_WILLNEED);
}

/* ---- files -------------------------------------------------------------------------- */

/* Call fn for the FILE records from byte `from` to `to` of a part: a gap between documents. */
static int files_between(const lm_store *s, size_t k, uint64_t from, uint64_t to,
                         int (*fn)(void *arg, const lm_file_end *f), void *arg)
{
    unsigned char record[ASIDE_MAX];
    const part *p = &s->part[k];
    int rc = LM_OK;
    while (from < to && !rc) {
        lm_record r;
        /* As in lm_store_read: index and trailer make a first read that is too long safe. */
        rc = lm_pread_all(p->fd, record, FILE_RECORD, from, s->parts.path[k]);
        if (rc) break;
        uint64_t size = lmstore_record_size(record, p->limits.width);
        const char *why = "not a record";
        bool fits = size && size <= sizeof record && size <= to - from;
        if (fits && size > FILE_RECORD)
            rc = lm_pread_all(p->fd, record, (size_t)size, from, s->parts.path[k]);
        if (rc) break;
        if (fits) why = lmstore_record_parse(record, size, &p->limits, &r);
        if (!why && r.kind == LM_REC_DOC) why = "this document is not in the index";
        if (why) return fault(s, k, from, "the record is damaged", why);
        if (r.kind == LM_REC_FILE) {
            r.file.file += (uint32_t)s->parts.first_file[k];
            rc = fn(arg, &r.file);
        }
        from += size;
    }
    return rc;
}

/* The size of the heads of a part's documents, which are all of one kind. */
static int document_head(const lm_store *s, size_t k, uint64_t *out)
{
    unsigned char block[BLOCK_MAX], record[RECORD_MIN];
    const part *p = &s->part[k];
    size_t n = 0;
    int rc = p->end.sums.documents ? read_block(s, k, 0, block, &n) : LM_OK;
    *out = DOC_HEAD;
    if (rc || n == 0) return rc;
    rc = lm_pread_all(p->fd, record, sizeof record, lmstore_entry_get(block).where,
                      s->parts.path[k]);
    if (!rc && lm_le32(record + 8) == KIND_PIECE) *out = PIECE_HEAD;
    return rc;
}

int lm_store_files(lm_store *s, int (*fn)(void *arg, const lm_file_end *f), void *arg)
{
    unsigned char block[BLOCK_MAX];
    for (size_t k = 0; k < s->parts.n; k++) {
        const part *p = &s->part[k];
        uint64_t at = p->records, head = 0;
        size_t n = 0;
        int rc = document_head(s, k, &head);
        if (rc) return rc;
        for (uint64_t i = 0; i < p->end.sums.documents; i += n) {
            rc = read_block(s, k, i / BLOCK_ENTRIES, block, &n);
            for (size_t j = 0; j < n && !rc; j++) {
                lm_entry e = lmstore_entry_get(block + j * ENTRY);
                if (e.where < at || e.where > p->end.index || e.tokens > DOC_TOKENS_MAX)
                    return lm_fail(LM_EDATA, "%s: the index is not in the order of the records",
                                   s->parts.path[k]);
                rc = files_between(s, k, at, e.where, fn, arg);
                at = e.where + head + store_pad8(e.tokens * p->limits.width);
            }
            if (rc) return rc;
        }
        rc = files_between(s, k, at, p->end.index, fn, arg);
        if (rc) return rc;
    }
    return LM_OK;
}

/* ---- checking ----------------------------------------------------------------------- */

static int add_entry(void *arg, uint64_t number, const lm_entry *e)
{
    (void)number;
    lmstore_sums_add(arg, e->key, e->tokens, e->domain);
    return LM_OK;
}

/* Header and trailer were verified by lm_store_open; here the index, and that it adds up. */
static int check_index(lm_store *s, const char *path)
{
    lmstore_sums sums = LMSTORE_SUMS_INIT;
    int rc = lm_store_each(s, add_entry, &sums);
    if (!rc && (sums.tokens != s->tokens || sums.content != s->content))
        rc = lm_fail(LM_EDATA, "%s: the trailer does not match the index", path);
    return rc;
}

/* The first id outside the vocabulary, as its place in the record; or tokens. */
static uint64_t first_bad_id(const lm_record *r, unsigned width, uint32_t vocab)
{
    if (lm_ids_max(r->tokens, (size_t)r->doc.tokens, width) < vocab) return r->doc.tokens;
    for (uint64_t i = 0; i < r->doc.tokens; i++)
        if (lm_id_at(r->tokens, (size_t)i, width) >= vocab) return i;
    return r->doc.tokens;
}

static int check_records(const char *path)
{
    lm_stream *s = NULL;
    lm_record r;
    int rc = lm_stream_open(&s, path);
    if (rc) return rc;
    const lm_meta *m = lm_stream_meta(s);
    while ((rc = lm_stream_next(s, &r)) == 1) {
        if (r.kind != LM_REC_DOC) continue;
        uint64_t bad = first_bad_id(&r, m->width, m->vocab);
        if (bad < r.doc.tokens) {
            rc = lm_fail(LM_EDATA,
                         "%s: byte %" PRIu64 ": token %" PRIu64
                         " of the record is outside the vocabulary",
                         path, lm_stream_offset(s), bad);
            break;
        }
    }
    lm_stream_close(s);
    return rc;
}

int lm_store_check(const char *path, bool quick)
{
    lm_store *s = NULL;
    if (!quick) return check_records(path);
    int rc = lm_store_open(&s, path);
    if (!rc) rc = check_index(s, path);
    lm_store_close(s);
    return rc;
}
