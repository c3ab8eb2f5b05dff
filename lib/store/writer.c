/* writer.c -- writing a token stream to a file or a pipe, and taking back its end.
 *
 * Index entries are spooled while records are written: in memory up to 1 MiB, then in an
 * unlinked temporary file. Nothing but PATH.partial itself is needed to resume: its records are
 * read again, and the entries with them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/io/output.h"
#include "longmix/zio.h"
#include "lib/store/internal.h"

enum {
    GATHER_BYTES = 1 << 20,    /* small appends are buffered up to this ... */
    DIRECT_BYTES = 128 * 1024, /* ... and appends of this size are written directly */
    SPOOL_BYTES = 1 << 20,
    WRITEBACK_BYTES = 16 << 20,
};

/* A point in the stream, to which it can be cut back. */
typedef struct point {
    uint64_t offset;   /* of the next record */
    uint32_t document; /* the kind of all its documents; 0 before the first */
    lmstore_sums sums;
    lmstore_block block; /* of the index */
    uint64_t spooled;    /* bytes of sealed blocks */
} point;

/* Only the entries in the block are copied: there may be a point for every document. */
static void copy_point(point *to, const point *from)
{
    to->offset = from->offset;
    to->document = from->document;
    to->sums = from->sums;
    to->spooled = from->spooled;
    to->block.entries = from->block.entries;
    memcpy(to->block.bytes, from->block.bytes, from->block.entries * ENTRY);
}

struct lm_store_writer {
    lm_output file;
    bool resumed;
    lm_buf gathered;
    uint64_t written_back; /* bytes whose writeback was started */
    lmstore_limits limits;
    point now, file_start; /* file_start: behind the last FILE record */
    lm_buf spool;          /* sealed blocks, the last of now.spooled bytes */
    int spool_fd;          /* the ones before them; -1 while there are none */
    bool failed;           /* a write failed: the buffered bytes no longer match the file */
};

/* ---- bytes -------------------------------------------------------------------------- */

static int write_out(lm_store_writer *w, const void *p, size_t n)
{
    int rc = lm_write_all(w->file.fd, p, n, lm_output_name(&w->file));
    if (rc) w->failed = true;
    return rc;
}

/* Start writeback now, so that the sync at the end does not wait for all of it. Only a hint. */
static void write_back(lm_store_writer *w)
{
#ifdef SYNC_FILE_RANGE_WRITE
    if (w->file.direct || w->now.offset - w->written_back < WRITEBACK_BYTES) return;
    (void)sync_file_range(w->file.fd, (off_t)w->written_back, 0, SYNC_FILE_RANGE_WRITE);
    w->written_back = w->now.offset;
#else
    (void)w;
#endif
}

static int flush(lm_store_writer *w)
{
    int rc = write_out(w, w->gathered.data, w->gathered.size);
    w->gathered.size = 0;
    return rc;
}

static int put(lm_store_writer *w, const void *p, size_t n)
{
    int rc = LM_OK;
    if (w->gathered.size + n > GATHER_BYTES || n >= DIRECT_BYTES) rc = flush(w);
    if (rc) return rc;
    w->now.offset += n;
    write_back(w);
    return n >= DIRECT_BYTES ? write_out(w, p, n) : lm_buf_add(&w->gathered, p, n);
}

/* ---- the index, spooled ---------------------------------------------------------- */

static const char spool_name[] = "the temporary file of the index";

static int keep_block(lm_store_writer *w, size_t n)
{
    int rc = LM_OK;
    if (w->spool.size + n > SPOOL_BYTES) {
        if (w->spool_fd < 0) w->spool_fd = lm_temporary_fd(w->file.direct ? NULL : w->file.path);
        if (w->spool_fd < 0) return w->spool_fd;
        rc = lm_write_all(w->spool_fd, w->spool.data, w->spool.size, spool_name);
        w->spool.size = 0;
    }
    if (!rc) rc = lm_buf_add(&w->spool, w->now.block.bytes, n);
    if (!rc) w->now.spooled += n;
    return rc;
}

static int add_entry(lm_store_writer *w, uint64_t key, uint64_t offset, uint64_t tokens,
                     uint16_t domain)
{
    lmstore_sums_add(&w->now.sums, key, tokens, domain);
    size_t n = lmstore_block_add(
        &w->now.block,
        &(lm_entry){ .key = key, .where = offset, .tokens = tokens, .domain = domain });
    return n ? keep_block(w, n) : LM_OK;
}

/* Write the spooled index, oldest entries first. */
static int put_index(lm_store_writer *w)
{
    size_t n = lmstore_block_end(&w->now.block);
    int rc = n ? keep_block(w, n) : LM_OK;
    unsigned char head[INDEX_HEAD];
    lmstore_index_head(head, w->now.sums.documents);
    if (!rc) rc = put(w, head, sizeof head);
    if (!rc && w->spool_fd >= 0) {
        lm_buf some = LM_BUF_INIT(SPOOL_BYTES);
        rc = lm_buf_reserve(&some, SPOOL_BYTES);
        uint64_t left = w->now.spooled - w->spool.size;
        for (uint64_t at = 0; at < left && !rc;) {
            size_t k = left - at < SPOOL_BYTES ? (size_t)(left - at) : SPOOL_BYTES;
            rc = lm_pread_all(w->spool_fd, some.data, k, at, spool_name);
            if (!rc) rc = put(w, some.data, k);
            at += k;
        }
        lm_buf_free(&some);
    }
    return rc ? rc : put(w, w->spool.data, w->spool.size);
}

/* ---- taking back --------------------------------------------------------------------- */

/* Cut n bytes down to `to`; the last of them are in `b`, the others in `fd`. */
static int cut(int fd, lm_buf *b, uint64_t n, uint64_t to, const char *name)
{
    uint64_t in_file = n - b->size;
    if (to >= in_file) {
        b->size = (size_t)(to - in_file);
        return LM_OK;
    }
    b->size = 0;
    if (ftruncate(fd, (off_t)to) || lseek(fd, (off_t)to, SEEK_SET) < 0)
        return lm_fail_errno(errno, "%s: cannot truncate", name);
    return LM_OK;
}

static int cut_back(lm_store_writer *w, const point *to)
{
    int rc = cut(w->spool_fd, &w->spool, w->now.spooled, to->spooled, spool_name);
    if (!rc)
        rc = cut(w->file.fd, &w->gathered, w->now.offset, to->offset, lm_output_name(&w->file));
    w->failed |= rc != 0;
    if (w->written_back > to->offset) w->written_back = to->offset;
    copy_point(&w->now, to);
    return rc;
}

int lm_store_take_back(lm_store_writer *w)
{
    if (w->file.direct)
        return lm_fail(LM_EUSAGE, "%s: what was written cannot be taken back", w->file.path);
    return cut_back(w, &w->file_start);
}

/* ---- open --------------------------------------------------------------------------- */

static void release(lm_store_writer *w)
{
    lm_output_abandon(&w->file);
    if (w->spool_fd >= 0) close(w->spool_fd);
    lm_buf_free(&w->gathered);
    lm_buf_free(&w->spool);
    free(w);
}

static bool same_json(const lm_json *a, const lm_json *b)
{
    lm_buf x = LM_BUF_INIT(LM_META_MAX), y = LM_BUF_INIT(LM_META_MAX);
    bool same = a && b && !lm_json_dump(a, 0, &x) && !lm_json_dump(b, 0, &y) && x.size == y.size &&
                !memcmp(x.data, y.data, x.size);
    lm_buf_free(&x);
    lm_buf_free(&y);
    return same;
}

/* The first member besides "inputs" in which two headers differ; NULL if they are the same. */
static const char *other_member(const lm_json *ours, const lm_json *theirs)
{
    const char *key = NULL;
    const lm_json *value = NULL;
    for (size_t i = 0; lm_json_member(ours, i, &key, &value); i++)
        if (strcmp(key, "inputs") && !same_json(value, lm_json_get(theirs, key))) return key;
    for (size_t i = 0; lm_json_member(theirs, i, &key, &value); i++)
        if (!lm_json_get(ours, key)) return key;
    return NULL;
}

/* The first file of two lists that differs, for a message. */
static int other_file(const char *name, const lm_json *ours, const lm_json *theirs)
{
    size_t n = lm_json_size(ours), m = lm_json_size(theirs), i = 0;
    const char *now = NULL, *before = NULL;
    while (i < n && i < m && same_json(lm_json_at(ours, i), lm_json_at(theirs, i))) i++;
    int rc = i < n ? lm_json_str(&now, lm_json_at(ours, i), NULL) : LM_OK;
    if (!rc && i < m) rc = lm_json_str(&before, lm_json_at(theirs, i), NULL);
    return rc ? rc
              : lm_fail(LM_EUSAGE,
                        "%s: was started with other inputs or options: its \"files\" differs: "
                        "input %zu was %s, now it is %s",
                        name, i + 1, before ? before : "absent", now ? now : "absent");
}

static int other_header(const char *name, const lm_json *ours, const lm_json *theirs)
{
    const char *key = other_member(ours, theirs);
    if (key && !strcmp(key, "files"))
        return other_file(name, lm_json_get(ours, key), lm_json_get(theirs, key));
    return lm_fail(LM_EUSAGE, "%s: was started with other inputs or options: its \"%s\" differs",
                   name, key ? key : "version");
}

/* Compare the header at the front of `r` with ours: 1 when it is the same but for "inputs" (and has been
 * read), 0 when the file ends within it, LM_EUSAGE when it is another, LM_EDATA when it is damaged. */
static int same_header(lmstore_reader *r, const lm_buf *header, const lm_json *json)
{
    int rc = lmstore_reader_need(r, header->size);
    if (rc < 0) return rc;
    size_t have = r->window.size - r->pos;
    if (have > header->size) have = header->size;
    if (have == 0) return 0;
    if (!memcmp(lmstore_reader_at(r), header->data, have)) {
        if (have < header->size) return 0;
        lmstore_reader_skip(r, have);
        return 1;
    }
    /* After a power failure a file may have its size and none of its bytes. */
    const unsigned char *p = lmstore_reader_at(r);
    if (*p == 0 && !memcmp(p, p + 1, have - 1)) return 0;
    lm_meta theirs;
    rc = lmstore_reader_header(r, &theirs);
    if (rc) return rc;
    rc = other_member(json, theirs.json) ? other_header(r->name, json, theirs.json) : 1;
    lm_meta_free(&theirs);
    return rc;
}

/* Inputs that the earlier run had not read may have another size now, which "inputs" says: make the
 * header at the front of the file ours, which differs from it in few bytes. */
static int put_header(lm_store_writer *w, const lm_buf *header, uint64_t size)
{
    lm_buf old = LM_BUF_INIT(LM_META_MAX + HEADER_HEAD + 8);
    size_t from = 0, to = header->size;
    if (size != header->size)
        return lm_fail(LM_EUSAGE,
                       "%s: was started with other inputs or options: its \"inputs\" differs",
                       w->file.tmp);
    int rc = lm_buf_reserve(&old, to);
    if (!rc) rc = lm_pread_all(w->file.fd, old.data, to, 0, w->file.tmp);
    while (!rc && to && old.data[to - 1] == header->data[to - 1]) to--;
    while (!rc && from < to && old.data[from] == header->data[from]) from++;
    if (!rc && from < to &&
        (lseek(w->file.fd, (off_t)from, SEEK_SET) < 0 ||
         (rc = lm_write_all(w->file.fd, header->data + from, to - from, w->file.tmp))))
        rc = rc ? rc : lm_fail_errno(errno, "%s", w->file.tmp);
    lm_buf_free(&old);
    return rc;
}

/* Is the store of this header at `path`, complete? 1, 0 (nothing is there) or an error. */
static int is_done(const char *path, const lm_buf *header, const lm_json *json)
{
    if (access(path, F_OK)) return 0;
    lmstore_reader r;
    int rc = lmstore_reader_open(&r, path, true);
    if (rc) return rc;
    rc = same_header(&r, header, json);
    lmstore_reader_close(&r);
    if (rc == 0)
        return lm_fail(LM_EDATA, "%s: is there already, but broken off inside its header", path);
    if (rc < 0) return rc;
    rc = lm_store_check(path, true);
    return rc ? rc : 1;
}

/* Take one record of an earlier run: 0, 1 to stop before the chunk that it ends, or an error. */
static int take_record(lm_store_writer *w, lmstore_reader *r, const lm_record *rec, uint64_t size,
                       int (*seen)(void *arg, const lm_record *r), void *arg)
{
    const lm_doc *d = &rec->doc;
    int rc = LM_OK;
    if (rec->kind == LM_REC_DOC) rc = add_entry(w, d->key, r->offset, d->tokens, d->domain);
    if (!rc && seen) rc = seen(arg, rec);
    if (rc) return rc;
    lmstore_reader_skip(r, (size_t)size);
    w->now.offset = r->offset;
    w->now.document = r->document;
    return LM_OK;
}

/* Read the records of an incomplete store up to the last end of a chunk or file. What follows is a
 * chunk in progress, a torn record, or an index that was being written. */
static int take_up(lm_store_writer *w, const lm_buf *header, const lm_json *json,
                   int (*seen)(void *arg, const lm_record *r), void *arg)
{
    lmstore_reader r;
    lmstore_reader_init(&r, w->file.fd, w->file.tmp);
    lm_record rec;
    uint64_t size = 0;
    int rc = same_header(&r, header, json);
    w->resumed = rc == 1;
    w->now.offset = r.offset;
    uint64_t header_size = r.offset;
    point *kept = malloc(sizeof *kept);
    if (!kept) rc = lm_fail_nomem(sizeof *kept);
    else copy_point(kept, &w->now);
    copy_point(&w->file_start, &w->now);
    while (rc == 1) {
        rc = lmstore_reader_record(&r, &w->limits, &rec, &size);
        if (rc == LM_EDATA) rc = LM_OK; /* torn or damaged: here the earlier run ended */
        if (rc != 1) break;
        rc = take_record(w, &r, &rec, size, seen, arg);
        if (rc) break;
        if (rec.kind == LM_REC_FILE) copy_point(&w->file_start, &w->now);
        if (rec.kind == LM_REC_FILE || rec.kind == LM_REC_CHUNK) copy_point(kept, &w->now);
        rc = 1;
    }
    if (rc >= 0 && w->resumed) rc = cut_back(w, kept);
    if (!rc && w->resumed) rc = put_header(w, header, header_size);
    free(kept);
    r.fd = -1; /* it stays ours */
    lmstore_reader_close(&r);
    return rc;
}

/* Open a file to write it from its start or, to resume, after its last finished chunk: 0, 1 if the
 * store is complete already, or an error. */
static int open_file(lm_store_writer *w, const lm_buf *header, const lm_json *json,
                     enum lm_store_kind kind, int (*seen)(void *arg, const lm_record *r), void *arg)
{
    bool resume = kind == LM_STORE_RESUME;
    int rc = resume ? is_done(w->file.path, header, json) : LM_OK;
    if (!rc)
        rc = lm_output_open(&w->file, kind == LM_STORE_ONCE ? LM_OUTPUT_NEW : LM_OUTPUT_RESUMABLE);
    if (!rc && resume) rc = take_up(w, header, json, seen, arg);
    if (!rc && (ftruncate(w->file.fd, (off_t)w->now.offset) ||
                lseek(w->file.fd, (off_t)w->now.offset, SEEK_SET) < 0))
        rc = lm_fail_errno(errno, "%s: cannot truncate", w->file.tmp);
    return rc;
}

int lm_store_writer_open(lm_store_writer **out, const char *path, const lm_json *json,
                         enum lm_store_kind kind, int (*seen)(void *arg, const lm_record *r),
                         void *arg)
{
    *out = NULL;
    lm_buf text = LM_BUF_INIT(LM_META_MAX), header = LM_BUF_INIT(LM_META_MAX + HEADER_HEAD + 8);
    lm_json *copy = NULL;
    lm_meta meta = { 0 };
    lm_store_writer *w = calloc(1, sizeof *w);
    int rc = w ? LM_OK : lm_fail_nomem(sizeof *w);
    if (rc) goto out;
    w->gathered = w->spool = (lm_buf)LM_BUF_INIT(GATHER_BYTES + BLOCK_MAX);
    w->now.sums = (lmstore_sums)LMSTORE_SUMS_INIT;
    w->file.fd = w->spool_fd = -1;

    /* Dump and parse it: what is written can be read. */
    rc = lm_json_dump(json, 0, &text);
    if (!rc) rc = lm_json_parse(&copy, text.data, text.size, "the header");
    if (!rc) rc = lm_meta_from_json(&meta, copy);
    if (!rc) rc = lmstore_header_build(&header, json, meta.width);
    if (rc) goto out;
    w->limits = lmstore_limits_of(&meta);

    rc = lm_output_locate(&w->file, path);
    if (!rc && !w->file.direct) {
        rc = open_file(w, &header, json, kind, seen, arg);
    } else if (!rc) {
        rc = lm_output_open(&w->file, LM_OUTPUT_NEW);
        fcntl(w->file.fd, F_SETPIPE_SZ, GATHER_BYTES); /* a wide pipe where the system allows it */
    }
    if (!rc && meta.version != LM_STORE_VERSION)
        rc = lm_fail(LM_EUSAGE, "%s: a header of format version %u cannot be written",
                     lm_output_name(&w->file), meta.version);
    if (!rc && w->now.offset == 0) {
        rc = put(w, header.data, header.size);
        copy_point(&w->file_start, &w->now);
    }
    if (!rc) {
        *out = w;
        w = NULL;
    }
out:
    if (w) release(w);
    lm_meta_free(&meta);
    lm_buf_free(&text);
    lm_buf_free(&header);
    return rc;
}

/* ---- append and finish -------------------------------------------------------------- */

bool lm_store_writer_resumed(const lm_store_writer *w) { return w->resumed; }
bool lm_store_writer_direct(const lm_store_writer *w) { return w->file.direct; }
uint64_t lm_store_writer_documents(const lm_store_writer *w) { return w->now.sums.documents; }
uint64_t lm_store_writer_tokens(const lm_store_writer *w) { return w->now.sums.tokens; }

int lm_store_append(lm_store_writer *w, const void *records, size_t n)
{
    const unsigned char *p = records;
    size_t end = 0; /* of the last FILE record */
    int rc = LM_OK;
    for (size_t at = 0; at < n && !rc;) {
        const unsigned char *r = p + at;
        uint64_t size = n - at < RECORD_MIN ? 0 : lmstore_record_size(r, w->limits.width);
        if (size == 0 || size > n - at)
            return lm_fail(LM_EUSAGE, "%s: what is appended is no record",
                           lm_output_name(&w->file));
        uint32_t kind = lm_le32(r + 8);
        if (kind == KIND_DOC || kind == KIND_PIECE) {
            if (lm_le16(r + 12) >= w->limits.domains || lm_le32(r + 40) >= w->limits.files)
                return lm_fail(LM_EUSAGE, "%s: a record's domain or file is not in the header",
                               lm_output_name(&w->file));
            if (!w->now.document) w->now.document = kind;
            if (w->now.document != kind)
                return lm_fail(LM_EUSAGE,
                               "%s: whole documents and pieces cannot be mixed in one stream",
                               lm_output_name(&w->file));
            rc =
                add_entry(w, lm_le64(r + 16), w->now.offset + at, lm_le64(r + 24), lm_le16(r + 12));
        }
        at += (size_t)size;
        if (kind == KIND_FILE || kind == KIND_ASIDE) end = at;
    }
    if (rc || !end) return rc ? rc : put(w, records, n);
    /* Only what lmtok appends is taken back: there, a FILE record is the last of its append. */
    rc = put(w, records, n);
    if (!rc && end == n) copy_point(&w->file_start, &w->now);
    return rc;
}

int lm_store_sync(lm_store_writer *w)
{
    int rc = flush(w);
    if (rc || w->file.direct) return rc;
    if (fsync(w->file.fd)) return lm_fail_errno(errno, "%s: cannot sync", lm_output_name(&w->file));
    return lm_sync_dir(w->file.path);
}

int lm_store_finish(lm_store_writer *w)
{
    lmstore_trailer t = { .index = w->now.offset };
    unsigned char end[TRAILER];
    int rc = put_index(w);
    if (!rc) {
        t.sums = w->now.sums;
        t.size = w->now.offset + TRAILER;
        lmstore_trailer_put(end, &t);
        rc = put(w, end, sizeof end);
    }
    if (!rc) rc = flush(w);
    if (!rc) rc = lm_output_commit(&w->file);
    release(w);
    return rc;
}

void lm_store_discard(lm_store_writer *w)
{
    if (w && w->resumed) release(w);
    else lm_store_remove(w);
}

void lm_store_remove(lm_store_writer *w)
{
    if (!w) return;
    w->file.keep = false;
    release(w);
}

void lm_store_leave(lm_store_writer *w)
{
    if (!w) return;
    /* Records flushed here need not be recomputed on resume. If the flush fails, the resumed run
     * truncates the torn tail, so the earlier error message is kept. */
    char message[1024];
    snprintf(message, sizeof message, "%s", lm_err());
    if (!w->file.direct && !w->failed && flush(w)) lm_err_set(message);
    release(w);
}
