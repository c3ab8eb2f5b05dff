/* store.h -- the token stream (.lmt): what lmtok writes, lmmix filters and lmpack reads, in a
 * pipe or on disk. Byte by byte: docs/format-store.md.
 *
 *   header (JSON: tokenizer, domains, files, plan) | records | index | trailer
 *
 * Every record carries its own checksum, so one document can be read and verified alone. The
 * trailer is the end marker: without it a stream is not complete, and reading it is an error. */
#ifndef LONGMIX_STORE_H
#define LONGMIX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"
#include "longmix/json.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LM_STORE_VERSION 2 /* what is written; version 1 is read, too */
#define LM_STORE_FORMAT "longmix store 2"
#define LM_META_MAX ((size_t)256 << 20) /* bound of the header's JSON */
#define LM_PARTS_MAX 65536              /* files of one store */

/* ---- what the header says ------------------------------------------------------------- */

typedef struct lm_meta {
    lm_json *json;    /* the whole of it, owned */
    unsigned version; /* of the format: 1 or 2 */
    unsigned width;   /* bytes per token: 2 or 4 */
    uint32_t vocab;
    uint64_t tokenizer; /* hash of the model file */
    int64_t bos, eos;   /* the id before and after every document, -1 for none */
    size_t domains, files;
    const char **domain;     /* [domains] borrowed from json */
    const char **file;       /* [files] names; in version 1, paths as the user gave them */
    uint32_t part, parts;    /* 1 of 1 for a whole stream */
    const lm_json *plan;     /* the plan of a mixture, NULL in a store */
    const lm_json *not_read; /* names that the input folders hold besides `file`, or NULL */
} lm_meta;

/* Read the fields out of `json`, which the meta then owns (also on failure). */
LM_CHECKED int lm_meta_from_json(lm_meta *out, lm_json *json);
void lm_meta_free(lm_meta *m);

/* ---- records -------------------------------------------------------------------------- */

enum lm_doc_flags {
    LM_DOC_OVERLAP = 1, /* past the end of this part: only there to fill the last row */
    LM_DOC_TRIMMED = 2, /* cut short so that its stratum meets its budget to the token */
};

/* A document, or in a mixture a unit of one: the whole, or the piece that a cut length makes. */
typedef struct lm_doc {
    uint64_t key;         /* XXH3-64 of the document's text */
    uint64_t tokens;      /* in this record */
    uint64_t doc_tokens;  /* in the whole document, BOS and EOS included */
    uint64_t start;       /* this record's first token within the document */
    uint64_t unit_tokens; /* in the unit before trimming: the length that strata count */
    uint64_t line;        /* of `file`, from 1 */
    uint32_t file;        /* index into the header's files */
    uint16_t domain;      /* index into the header's domains */
    uint8_t copy;         /* 0, or which repetition this is */
    uint8_t flags;
} lm_doc;

/* The end of one input file: what was in it. */
typedef struct lm_file_end {
    uint32_t file;
    uint64_t raw_bytes, raw_hash; /* of the file as it lies on disk */
    uint64_t lines, documents, bad_lines;

    /* Of a quarantined file: why none of its documents is in the store (at most LM_REASON_MAX bytes,
     * borrowed from the record as tokens are; NULL for any other file), and the byte of the file on
     * disk up to which it could be read. raw_hash is then that of its first raw_read bytes. */
    const char *set_aside;
    uint64_t fault, raw_read;
} lm_file_end;

enum { LM_REASON_MAX = 1000 };

/* A chunk of lines is done: for a writer that resumes. */
typedef struct lm_chunk_end {
    uint32_t file;
    uint64_t lines; /* of the file so far */
    uint64_t hash;  /* chained: of the contents of these lines */
    /* Of all quarantined lines so far: their bytes, and a chained hash of them. */
    uint64_t bad_bytes, bad_hash;
} lm_chunk_end;

/* A quarantined line. */
typedef struct lm_bad_line {
    uint32_t file;
    uint64_t line, offset, bytes; /* offset and size in the decompressed file, LF not counted */
} lm_bad_line;

/* In a mixture: what follows belongs to shard `shard`, whose first token is number `start` of
 * the whole mixture. `shard` == the mixture's number of shards marks its end. */
typedef struct lm_shard_mark {
    uint64_t shard, start;
} lm_shard_mark;

/* LM_REC_CHUNK is seen by a writer that resumes alone: readers skip such records. */
enum lm_record_kind { LM_REC_DOC, LM_REC_FILE, LM_REC_BAD, LM_REC_SHARD, LM_REC_CHUNK };

typedef struct lm_record {
    enum lm_record_kind kind;
    union {
        lm_doc doc;
        lm_file_end file;
        lm_bad_line bad;
        lm_shard_mark shard;
        lm_chunk_end chunk;
    };
    const void *tokens; /* LM_REC_DOC: doc.tokens ids of `width` bytes, little-endian; borrowed */
} lm_record;

/* Build a document's record in place at the end of `out`, without a copy of its tokens:
 * begin leaves room for the head and sets *at; the caller appends tokens to `out`; end fills
 * the head, pads and seals it. doc->tokens is taken from what was appended. `piece` chooses
 * the longer head that mixtures need. */
LM_CHECKED int lm_record_begin(lm_buf *out, bool piece, size_t *at);
LM_CHECKED int lm_record_end(lm_buf *out, size_t at, bool piece, unsigned width, const lm_doc *doc);

/* Append a whole record (a document as a piece). */
LM_CHECKED int lm_record_add(lm_buf *out, unsigned width, const lm_record *r);

/* ---- writing -------------------------------------------------------------------------- */

typedef struct lm_store_writer lm_store_writer;

/* The file name of part k of n within a store's directory: "part-00001-of-00003.lmt". Returns
 * its length. */
enum { LM_PART_NAME = 40 };
int lm_part_name(char out[LM_PART_NAME], uint32_t k, uint32_t n);

enum lm_store_kind {
    LM_STORE_ONCE,   /* a temporary file, which is removed when the run fails */
    LM_STORE_RESUME, /* PATH.partial, which is kept; what an earlier run wrote is continued */
    LM_STORE_AGAIN,  /* the same, but what an earlier run wrote is discarded */
};

/* Start a stream at `path` ("-": standard output) with header `meta` (not taken), whose "format" is
 * LM_STORE_FORMAT. lm_store_finish renames it to `path`.
 *
 * With LM_STORE_RESUME, an existing PATH.partial with the same header (but for "inputs", which becomes
 * that of `meta`) is continued after its last record of kind LM_REC_CHUNK or LM_REC_FILE; what follows that record is cut off. `seen` (may be
 * NULL) is called for every verified record, in order, also for those that are then cut off. Where
 * it returns 1 for a chunk's record, the store is continued before that chunk; an error ends the call.
 * Another header is LM_EUSAGE; an existing PATH too, unless it is complete and has the same header:
 * then *out is NULL and 1 is returned: nothing is left to do. The other kinds overwrite. */
LM_CHECKED int lm_store_writer_open(lm_store_writer **out, const char *path, const lm_json *meta,
                                    enum lm_store_kind kind,
                                    int (*seen)(void *arg, const lm_record *r), void *arg);

/* Was there an unfinished store with this header, that is continued? */
bool lm_store_writer_resumed(const lm_store_writer *w);

/* Is it written directly, to a pipe or a device? Then nothing can be taken back. */
bool lm_store_writer_direct(const lm_store_writer *w);

/* Append sealed records, as lm_record_* built them; they are taken into the index. One thread
 * at a time. 0, LM_EIO, LM_EPIPE. */
LM_CHECKED int lm_store_append(lm_store_writer *w, const void *records, size_t n);

uint64_t lm_store_writer_documents(const lm_store_writer *w);
uint64_t lm_store_writer_tokens(const lm_store_writer *w);

/* Take back all that was appended after the last FILE record: the file in progress. LM_EUSAGE if the
 * stream is written directly. */
LM_CHECKED int lm_store_take_back(lm_store_writer *w);

/* Write and fsync what was appended, and the directory: it survives a power cut. */
LM_CHECKED int lm_store_sync(lm_store_writer *w);

/* Write index and trailer, fsync, rename, free `w` (also when it fails). */
LM_CHECKED int lm_store_finish(lm_store_writer *w);

/* Free `w`. PATH.partial is left for a later resume, a temporary file is removed. NULL is allowed. */
void lm_store_leave(lm_store_writer *w);

/* Free `w` and remove PATH.partial: nothing in it is of use. NULL is allowed. */
void lm_store_remove(lm_store_writer *w);

/* Free `w` before anything was appended: PATH.partial is left only if it was resumed. NULL is allowed. */
void lm_store_discard(lm_store_writer *w);

/* ---- reading in order ----------------------------------------------------------------- */

typedef struct lm_stream lm_stream;

/* Open a stream for reading in order: a file, a FIFO, "-", or a directory of parts (one after the
 * other). Never seeks. 0, LM_EIO, LM_EUSAGE (a device, a socket), or LM_EDATA (not a stream, unknown
 * version, damaged). */
LM_CHECKED int lm_stream_open(lm_stream **out, const char *path);
const lm_meta *lm_stream_meta(const lm_stream *s);

/* The next record: 1 with *out set (tokens borrowed until the next call), 0 at the end marker,
 * LM_EDATA for damage or a missing end, with file and byte offset. Parts of a directory follow
 * one another; file numbers in records count through all of them. */
LM_CHECKED int lm_stream_next(lm_stream *s, lm_record *out);

uint64_t lm_stream_offset(const lm_stream *s); /* bytes read so far */
void lm_stream_close(lm_stream *s);            /* NULL is allowed */

/* ---- reading by index ----------------------------------------------------------------- */

typedef struct lm_store lm_store;

/* Open a complete store: a file, or a directory with all the parts of one
 * (part-00001-of-00003.lmt ...), which together count as one. 0, LM_EIO, LM_EUSAGE (not a regular
 * file), or LM_EDATA: damaged, or parts of different inputs or options. */
LM_CHECKED int lm_store_open(lm_store **out, const char *path);
const lm_meta *lm_store_meta(const lm_store *s); /* files of all parts, in order */
const char *lm_store_name(const lm_store *s);
uint64_t lm_store_documents(const lm_store *s);
uint64_t lm_store_tokens(const lm_store *s);
uint64_t lm_store_hash(
    const lm_store *s); /* of the indices of all parts: what a plan was made from */

/* One entry of the index. */
typedef struct lm_entry {
    uint64_t key, tokens;
    uint64_t where; /* opaque: for lm_store_read */
    uint16_t domain;
} lm_entry;

/* Decode entries first .. first+n-1 (n at most LM_ENTRIES_MAX) into out[n]. Thread-safe. */
enum { LM_ENTRIES_MAX = 65536 };
LM_CHECKED int lm_store_entries(lm_store *s, uint64_t first, size_t n, lm_entry *out);

/* Call fn for each entry of the index, in order; `number` is the document's, from 0. Stops at the
 * first result of fn that is not 0 and returns it; else 0, LM_ENOMEM, LM_EINTR after lm_interrupt,
 * or an error of lm_store_entries. */
LM_CHECKED int lm_store_each(lm_store *s, int (*fn)(void *arg, uint64_t number, const lm_entry *e),
                             void *arg);

/* Read and verify one document's record; *r->tokens points into `buf`. Thread-safe with a
 * buffer per thread. */
LM_CHECKED int lm_store_read(lm_store *s, const lm_entry *e, lm_buf *buf, lm_record *r);

/* Append the record of the piece that is all of this document, as lm_record_add does after lm_store_read,
 * but without a copy of the tokens. `copy` and `flags` are the piece's. Thread-safe in the same way. */
LM_CHECKED int lm_store_copy(lm_store *s, const lm_entry *e, unsigned copy, unsigned flags,
                             lm_buf *out);

/* Hint that this document will be read soon. */
void lm_store_prefetch(lm_store *s, const lm_entry *e);

/* Is `path` one of its files, under any name? */
bool lm_store_is(const lm_store *s, const char *path);

/* Call fn for each FILE record, in order of file number. */
LM_CHECKED int lm_store_files(lm_store *s, int (*fn)(void *arg, const lm_file_end *f), void *arg);

void lm_store_close(lm_store *s); /* NULL is allowed */

/* ---- checking ------------------------------------------------------------------------- */

/* Verify a store file: with `quick`, header, index and trailer; else every byte. 0, or LM_EDATA
 * with file and byte offset of the first error. */
LM_CHECKED int lm_store_check(const char *path, bool quick);

#ifdef __cplusplus
}
#endif
#endif
