/* shard.h -- packed shards (.lms): rows of a fixed number of tokens, with the lineage of every
 * token. The only interface between data and trainer. Byte by byte: docs/format-shard.md.
 *
 *   header | rows | row checksums | row index | span table | identity | receipt | trailer
 *
 * Rows lie at one fixed offset, without gaps, so another program may map them as a matrix. */
#ifndef LONGMIX_SHARD_H
#define LONGMIX_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"
#include "longmix/json.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LM_SHARD_VERSION 2             /* of what is written; 1 is read, too */
enum { LM_SHARD_DATA = 4096 };         /* file offset of the first row */
#define LM_ROW_MAX ((uint64_t)1 << 28) /* maximum number of tokens per row */

enum lm_span_flags {
    LM_SPAN_BEGINS = 1,  /* the unit's first token is here */
    LM_SPAN_ENDS = 2,    /* the unit's last token is here */
    LM_SPAN_TRIMMED = 4, /* the unit was trimmed to meet a budget (store.h) */
};

/* A run of tokens of one document within one row. Tokens of a row that no span covers are
 * padding, at its end. */
typedef struct lm_span {
    uint64_t key;         /* XXH3-64 of the document's text */
    uint64_t doc_start;   /* the run's first token within the document */
    uint64_t doc_tokens;  /* tokens of the whole document */
    uint64_t unit_tokens; /* tokens of the unit (store.h) before trimming */
    uint64_t line;        /* in the file, from 1 */
    uint32_t file;        /* number of the input file: lm_shards_file */
    uint32_t row_start;   /* the run's first token within the row */
    uint32_t tokens;      /* length of the run */
    uint16_t domain;      /* index into the identity's "domains" */
    uint8_t copy, flags;
} lm_span;

/* ---- reading -------------------------------------------------------------------------- */

typedef struct lm_shard lm_shard; /* immutable once open: any number of threads may read */

/* Open one .lms file: header, span table, JSON and trailer are verified; rows are verified as
 * they are read. 0, LM_EIO, or LM_EDATA with file and byte offset. */
LM_CHECKED int lm_shard_open(lm_shard **out, const char *path);
void lm_shard_close(lm_shard *s); /* NULL is allowed */

const char *lm_shard_name(const lm_shard *s);
unsigned lm_shard_version(const lm_shard *s); /* of the format: 1 or 2 */
uint64_t lm_shard_rows(const lm_shard *s);
uint64_t lm_shard_row_tokens(const lm_shard *s); /* N, or N+1 with labels */
bool lm_shard_labels(const lm_shard *s);         /* rows have one token more than the sequence */
unsigned lm_shard_width(const lm_shard *s);      /* bytes per token: 2 or 4 */
uint32_t lm_shard_vocab(const lm_shard *s);      /* every id is below this */
uint64_t lm_shard_number(const lm_shard *s);     /* its number in the mixture, from 0 */
uint64_t lm_shard_bytes(const lm_shard *s);      /* size of the file */
uint64_t lm_shard_hash(const lm_shard *s);       /* the trailer's seal: it covers every byte */

/* What the shard was made from, the same in all shards of a mixture: {"longmix","tokenizer",
 * "domains","files","plan","pack"}; and what is in this one: the receipt's sums
 * (docs/format-manifest.md). */
const lm_json *lm_shard_identity(const lm_shard *s);
const lm_json *lm_shard_receipt(const lm_shard *s);
uint64_t lm_shard_identity_hash(
    const lm_shard *s); /* XXH3-64 of its text, as lm_json_dump gives it */

/* Copy row `row` into ids[row_tokens], widened to 32 bits, and verify its checksum. The file is
 * reopened by name. 0, LM_EUSAGE for a row that does not exist, LM_EIO, or LM_EDATA. */
LM_CHECKED int lm_shard_row(const lm_shard *s, uint64_t row, uint32_t *ids);

/* The spans of a row, in order; *n of them. Borrowed until the shard is closed. */
LM_CHECKED int lm_shard_spans(const lm_shard *s, uint64_t row, const lm_span **out, size_t *n);

/* Verify every byte of a shard file (`quick`: all but the rows). 0, or LM_EDATA with file and
 * byte offset of the first error. */
LM_CHECKED int lm_shard_check(const char *path, bool quick);

/* ---- a directory of shards ------------------------------------------------------------- */

/* The shards shard-00000.lms ... of a directory, or a single .lms file, as one sequence of
 * rows. All must have one identity. A directory must hold all of a mixture's shards, up to the
 * one whose receipt says that it is the last: LM_EDATA names what is missing. */
typedef struct lm_shards lm_shards; /* immutable once open */
LM_CHECKED int lm_shards_open(lm_shards **out, const char *path);
void lm_shards_close(lm_shards *s);
size_t lm_shards_count(const lm_shards *s);
const lm_shard *lm_shards_at(const lm_shards *s, size_t i);
uint64_t lm_shards_rows(const lm_shards *s);

/* The name of input file `file` of a span, borrowed. NULL where it is not known: from version 2 on
 * receipts hold the names, and a single .lms file has all of them only with the manifest.json or the
 * shard-00000.lms of its mixture next to it. */
const char *lm_shards_file(const lm_shards *s, uint32_t file);

/* Which shard holds row `row` of all, and which of its rows that is. */
LM_CHECKED int lm_shards_find(const lm_shards *s, uint64_t row, const lm_shard **shard,
                              uint64_t *at);

/* "DIR/shard-00007.lms", to be freed; and back: whether this is the name of a shard. */
LM_CHECKED int lm_shard_path(char **out, const char *dir, uint64_t number);
bool lm_shard_number_of(const char *name, uint64_t *number);

/* The numbers of the shards that lie in `dir`, in order, complete or not; to be freed. */
LM_CHECKED int lm_shards_list(uint64_t **out, size_t *count, const char *dir);

/* ---- writing --------------------------------------------------------------------------- */

typedef struct lm_shard_writer lm_shard_writer;

/* The member "files" of an identity: number and hash of the names of the input files. A new root;
 * as all setters of json.h, it may be NULL when out of memory. */
lm_json *lm_shard_files(const char *const *name, size_t n);

typedef struct lm_shard_spec {
    uint64_t row_tokens;
    bool labels;
    unsigned width;
    uint32_t vocab;
    uint64_t number;
    const lm_json *identity; /* borrowed until the writer is done */
} lm_shard_spec;

/* Start PATH under a temporary name; it appears at commit. */
LM_CHECKED int lm_shard_writer_open(lm_shard_writer **out, const char *path,
                                    const lm_shard_spec *spec);

/* Append one row: row_tokens ids of `width` bytes, and its spans in order. LM_EDATA for an id
 * outside the vocabulary, LM_EUSAGE for spans that cannot be; a shard that was refused a row
 * cannot be committed. */
LM_CHECKED int lm_shard_writer_row(lm_shard_writer *w, const void *ids, const lm_span *spans,
                                   size_t n);

/* Write tables, receipt and trailer, fsync, rename; frees `w`, also when it fails. */
LM_CHECKED int lm_shard_writer_commit(lm_shard_writer *w, const lm_json *receipt);
void lm_shard_writer_abandon(lm_shard_writer *w); /* discards the file; NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
