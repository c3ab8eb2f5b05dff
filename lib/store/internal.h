/* internal.h -- the layout of docs/format-store.md, and what the files of this module
 * share: the header, a reader that verifies records one by one, the growing index, parts. */
#ifndef LM_LIB_STORE_INTERNAL_H
#define LM_LIB_STORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "lib/base/endian.h"
#include "longmix/err.h"
#include "longmix/store.h"

#define STORE_MAGIC "LMTOKENS"
#define STORE_END_MAGIC "LMTKEND\n"
#define STORE_FORMAT_1 "longmix store 1"

enum {
    HEADER_HEAD = 32, /* of the file, before the JSON */
    DOC_HEAD = 48,
    PIECE_HEAD = 72,
    FILE_RECORD = 56,
    BAD_RECORD = 40,
    SHARD_RECORD = 32,
    CHUNK_RECORD = 48,
    ASIDE_HEAD = 56, /* of a quarantined file's record, before the reason */
    ASIDE_MAX = ASIDE_HEAD + LM_REASON_MAX + 8,
    RECORD_MIN = 32, /* no record is smaller */
    INDEX_HEAD = 24,
    ENTRY = 24,
    BLOCK_ENTRIES = 1024,
    BLOCK_MAX = BLOCK_ENTRIES * ENTRY + 8,
    TRAILER = 64,
};

#define KIND(a, b, c, d) \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define KIND_DOC KIND('D', 'O', 'C', ' ')
#define KIND_PIECE KIND('P', 'I', 'E', 'C')
#define KIND_FILE KIND('F', 'I', 'L', 'E')
#define KIND_BAD KIND('B', 'A', 'D', ' ')
#define KIND_SHARD KIND('S', 'H', 'R', 'D')
#define KIND_CHUNK KIND('C', 'H', 'N', 'K')
#define KIND_ASIDE KIND('Q', 'U', 'A', 'R')
#define KIND_INDEX KIND('I', 'N', 'D', 'X')
#define KIND_END KIND('E', 'N', 'D', ' ')

/* The longest document: a line is at most 2^30 bytes, and no byte becomes more than a few ids. */
#define DOC_TOKENS_MAX ((uint64_t)1 << 32)

static inline uint64_t store_pad8(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

/* ---- header (header.c) --------------------------------------------------------------- */

/* The header's bytes for this JSON. */
LM_CHECKED int lmstore_header_build(lm_buf *out, const lm_json *json, unsigned width);

/* ---- records (record.c) ------------------------------------------------------- */

/* What the header allows a record to say. */
typedef struct lmstore_limits {
    unsigned version, width;
    size_t domains, files;
} lmstore_limits;

/* The size of the record that begins with the RECORD_MIN bytes at p; 0 where it is none. */
uint64_t lmstore_record_size(const unsigned char *p, unsigned width);

/* What the header `m` allows. */
lmstore_limits lmstore_limits_of(const lm_meta *m);

/* Verify and decode a record of that size. NULL, or what is wrong with it. */
const char *lmstore_record_parse(const unsigned char *p, uint64_t size, const lmstore_limits *l,
                                 lm_record *out);

/* ---- reading in order (reader.c) ---------------------------------------------- */

/* A window on an open file or pipe. */
typedef struct lmstore_reader {
    int fd;
    const char *name; /* borrowed */
    lm_buf window;    /* bytes pos .. size are unread */
    size_t pos;
    uint64_t offset;   /* of the unread bytes in the file */
    uint32_t document; /* the kind of all its documents; 0 before the first */
} lmstore_reader;

/* Take over `fd` (-1: none yet). */
void lmstore_reader_init(lmstore_reader *r, int fd, const char *name);
void lmstore_reader_close(lmstore_reader *r);

/* Open `path` ("-": standard input) for reading in order; with `regular`, LM_EUSAGE at once if it is
 * not a regular file. */
LM_CHECKED int lmstore_reader_open(lmstore_reader *r, const char *path, bool regular);

/* Buffer n unread bytes: 1, 0 where the input ends before, or LM_EIO, LM_ENOMEM. Memory
 * grows with the available bytes, not with n. */
LM_CHECKED int lmstore_reader_need(lmstore_reader *r, uint64_t n);
const unsigned char *lmstore_reader_at(const lmstore_reader *r);
void lmstore_reader_skip(lmstore_reader *r, size_t n);

/* "NAME: byte OFFSET: " and the text: LM_EDATA at the first unread byte plus `more`. */
int lmstore_reader_fail(const lmstore_reader *r, uint64_t more, const char *fmt, ...)
    LM_PRINTF(3, 4);

/* Read and verify the header. */
LM_CHECKED int lmstore_reader_header(lmstore_reader *r, lm_meta *out);

/* Look at the next record, which stays unread (it takes *size bytes): 1, 0 where the index
 * begins, LM_EDATA for anything else. */
LM_CHECKED int lmstore_reader_record(lmstore_reader *r, const lmstore_limits *l, lm_record *out,
                                     uint64_t *size);

/* ---- the index (index.c) ------------------------------------------------------ */

/* Totals of the documents of a stream. */
typedef struct lmstore_sums {
    uint64_t documents, tokens;
    uint64_t content; /* lm_store_hash: see docs/format-store.md */
    uint64_t power;   /* its multiplier for the next document */
} lmstore_sums;

#define LMSTORE_SUMS_INIT \
    {                     \
        0, 0, 0, 1        \
    }
void lmstore_sums_add(lmstore_sums *s, uint64_t key, uint64_t tokens, uint16_t domain);

/* The content hash of one stream after another. */
uint64_t lmstore_content_join(uint64_t content, uint64_t documents, uint64_t next);

/* The block of the index that is being filled. */
typedef struct lmstore_block {
    unsigned char bytes[BLOCK_MAX];
    size_t entries;
} lmstore_block;

/* Add an entry; the size of the sealed block when it is full, else 0. The sealed bytes must be
 * taken before the next entry. _end seals what is left (0: nothing). */
size_t lmstore_block_add(lmstore_block *b, const lm_entry *e);
size_t lmstore_block_end(lmstore_block *b);

/* Verify a block of n entries. Here an entry's .where is the record's offset in the file. */
bool lmstore_block_good(const unsigned char *p, size_t n);
lm_entry lmstore_entry_get(const unsigned char *p);

uint64_t lmstore_index_size(uint64_t documents); /* of the blocks, without head */
void lmstore_index_head(unsigned char p[INDEX_HEAD], uint64_t documents);
bool lmstore_index_head_get(const unsigned char *p, uint64_t *documents); /* false: damaged */

typedef struct lmstore_trailer {
    lmstore_sums sums;
    uint64_t index; /* offset of the index head */
    uint64_t size;  /* of the whole file */
} lmstore_trailer;

void lmstore_trailer_put(unsigned char p[TRAILER], const lmstore_trailer *t);
/* NULL, or what is wrong with it in a stream of this format version. */
const char *lmstore_trailer_get(const unsigned char *p, unsigned version, lmstore_trailer *out);

/* ---- parts (parts.c) ---------------------------------------------------------- */

/* The files that a path stands for: itself, or the parts in a directory, in order. */
typedef struct lmstore_parts {
    char **path;          /* [n] */
    uint64_t *first_file; /* [n + 1] number of each part's first file, set by _meta */
    size_t n;
} lmstore_parts;

LM_CHECKED int lmstore_parts_find(lmstore_parts *out, const char *path);
void lmstore_parts_free(lmstore_parts *p);

/* The header of all parts as one from each part's own metas[n], which are freed. They must
 * agree in all but files, part and what the folders hold besides. */
LM_CHECKED int lmstore_parts_meta(lmstore_parts *p, lm_meta *metas, lm_meta *out);

#endif
