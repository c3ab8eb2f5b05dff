/* byte_vocab.h -- a vocabulary of bytes: its pieces by their text, and its merges between symbols. */
#ifndef LM_LIB_TOKENIZER_BPE_BYTE_VOCAB_H
#define LM_LIB_TOKENIZER_BPE_BYTE_VOCAB_H

#include "lib/tokenizer/bpe/byte_level.h"
#include "lib/tokenizer/bpe/pairs.h"
#include "lib/tokenizer/bpe/table.h"

#define LM_NO_SYMBOL ((1U << LM_WIDE_BITS) - 1) /* in a slot of pairs, and as an id */

/* Symbols 0 to 255 are the bytes; the others are the pieces that merges make, in the order of their
 * ranks, so that the smallest symbol is the best merge. */
typedef struct lm_byte_vocab {
    uint32_t count;      /* ids of pieces are below it */
    unsigned char *text; /* bytes of the pieces, one after the other, and 16 more */
    uint32_t *starts;    /* [count + 1], by id */
    char *names;         /* in GPT-2's alphabet, each ended by a NUL */
    uint32_t *name_starts;
    uint32_t *map;      /* texts that are one id: see lm_byte_find */
    unsigned map_shift; /* 64 - bits of an index */
    lm_pairs pairs;
    uint32_t
        *first;    /* [65536] the symbol that bytes a and b make, at a << 8 | b; or LM_NO_SYMBOL */
    uint32_t *ids; /* by symbol; LM_NO_SYMBOL for a byte that is no piece */
    uint32_t longest; /* bytes of the longest piece that merges make */
    bool holes;       /* a byte is no piece */
} lm_byte_vocab;

/* 0; LM_ENOMEM; LM_EDATA with `path`. On an error *v may be freed. */
LM_CHECKED int lm_byte_vocab_new(lm_byte_vocab *v, const lm_byte_spec *spec, const char *path);
void lm_byte_vocab_free(lm_byte_vocab *v);

static inline uint32_t lm_byte_size(const lm_byte_vocab *v, uint32_t id)
{
    return v->starts[id + 1] - v->starts[id];
}

/* The hash of n bytes, for n <= 16 with that many readable. */
static inline uint64_t lm_byte_hash(const unsigned char *p, size_t n)
{
    return n <= LM_SHORT ? lm_key_hash(lm_key_of(p, n)) : lm_long_hash(p, n);
}

/* The id whose text is n bytes at p, or LM_NO_SYMBOL. A slot has 11 bits of the hash above the id. */
static inline uint32_t lm_byte_find(const lm_byte_vocab *v, uint64_t hash, const unsigned char *p,
                                    size_t n)
{
    uint32_t mask = (uint32_t)(UINT64_MAX >> v->map_shift);
    uint32_t tag = (uint32_t)(hash >> (v->map_shift - 11)) & 0x7ff;
    for (uint32_t i = (uint32_t)(hash >> v->map_shift);; i = (i + 1) & mask) {
        uint32_t slot = v->map[i], id = slot & LM_NO_SYMBOL;
        if (slot == UINT32_MAX) return LM_NO_SYMBOL;
        if (slot >> LM_WIDE_BITS == tag && lm_byte_size(v, id) == n &&
            !memcmp(v->text + v->starts[id], p, n))
            return id;
    }
}

/* Begin to fetch what lm_byte_find reads first. */
static inline void lm_byte_fetch(const lm_byte_vocab *v, uint64_t hash)
{
    __builtin_prefetch(&v->map[hash >> v->map_shift]);
}

/* ---- byte_reference.c ------------------------------------------------------------- */

/* The same vocabulary without any of the above: to compare with. */
typedef struct lm_byte_reference lm_byte_reference;
LM_CHECKED int lm_byte_reference_new(lm_byte_reference **out, const lm_byte_spec *spec);
void lm_byte_reference_free(lm_byte_reference *r); /* NULL is allowed */

/* Append the ids of one part. 0 or LM_ENOMEM. */
LM_CHECKED int lm_byte_reference_part(const lm_byte_reference *r, const unsigned char *p, size_t n,
                                      int64_t unk, unsigned width, lm_buf *out);

#endif
