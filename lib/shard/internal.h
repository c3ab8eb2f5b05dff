/* internal.h -- where things lie in a .lms file (docs/format-shard.md). */
#ifndef LM_LIB_SHARD_INTERNAL_H
#define LM_LIB_SHARD_INTERNAL_H

#include <stddef.h>

#include "longmix/shard.h"

/* The span table is written from and mapped as an array of lm_span, and rows are passed as
 * they are: memory must look like the file. */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "longmix writes little-endian files from memory: a big-endian machine needs conversions here"
#endif
_Static_assert(sizeof(lm_span) == 56 && offsetof(lm_span, file) == 40 &&
                   offsetof(lm_span, domain) == 52 && offsetof(lm_span, flags) == 55,
               "lm_span is the file's layout");

#define SHARD_MAGIC "LMSHARD\n"
#define SHARD_END "LMSHEND\n"
#define SHARD_JSON_MAX ((uint64_t)256 << 20)

/* Header: its last eight bytes are the XXH3 of those before. */
enum {
    HEAD_VERSION = 8,
    HEAD_WIDTH = 12,
    HEAD_ROW_TOKENS = 16,
    HEAD_LABELS = 24,
    HEAD_VOCAB = 28,
    HEAD_NUMBER = 32,
    HEAD_SUM = LM_SHARD_DATA - 8,
};

/* Sections between the rows and the trailer, in order, each a multiple of eight bytes. */
enum shard_section { SEC_CHECKS, SEC_INDEX, SEC_SPANS, SEC_IDENTITY, SEC_RECEIPT, SECTIONS };

/* Trailer: SEAL is the XXH3 of the trailer before it, and so of the whole file. */
enum {
    TAIL_ROWS = 0,
    TAIL_SPANS = 8,
    TAIL_IDENTITY = 16,
    TAIL_RECEIPT = 24,
    TAIL_SUMS = 32,                           /* of the sections */
    TAIL_HEAD_SUM = TAIL_SUMS + 8 * SECTIONS, /* of the header, all of it */
    TAIL_SIZE = TAIL_HEAD_SUM + 8,
    TAIL_SEAL = TAIL_SIZE + 8,
    TAIL_MAGIC = TAIL_SEAL + 8,
    TAIL_BYTES = TAIL_MAGIC + 8,
};

static inline uint64_t shard_pad8(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

/* What an id must be below, and what a span may point to. */
typedef struct shard_bounds {
    uint64_t row_tokens;
    size_t domains, files;
} shard_bounds;

/* NULL, or what is wrong with the spans of one row. */
const char *shard_spans_fault(const shard_bounds *b, const lm_span *spans, size_t n);

/* The bounds that an identity of this format version gives. LM_EDATA where it gives none. */
LM_CHECKED int shard_bounds_read(shard_bounds *b, unsigned version, uint64_t row_tokens,
                                 const lm_json *identity);

/* The names of the input files, in order: those of `lists`, each the "inputs" of a receipt or of a
 * manifest. To be freed, the strings are borrowed. NULL where they are not all there; *rc is LM_ENOMEM
 * or unchanged. */
const char **shard_names(const lm_json *const *lists, size_t n, const lm_json *identity,
                         size_t *count, int *rc);

/* As lm_shard_open; where the identity is that of `like` (may be NULL), its tree is used, and
 * `like` must stay open. */
LM_CHECKED int shard_open_like(lm_shard **out, const char *path, const lm_shard *like);

#endif
