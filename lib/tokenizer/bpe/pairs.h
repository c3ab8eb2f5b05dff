/* pairs.h -- which two symbols merge, and into what: a table that is searched without unpredictable
 * branches. */
#ifndef LM_LIB_TOKENIZER_BPE_PAIRS_H
#define LM_LIB_TOKENIZER_BPE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

#define LM_NO_RANK UINT32_MAX
#define LM_NO_SYM UINT32_MAX

/* A slot is, from its top: narrow, left 16, right 16, rank 16, symbol 16 bits; else left 21, right
 * 21, symbol 21. All ones is an empty slot. A pair is in one of two places, so that a search takes
 * the same steps whatever it finds. */
#define LM_EMPTY_MERGE UINT64_MAX
#define LM_WIDE_BITS 21

typedef struct lm_pairs {
    bool narrow;      /* symbols and ranks fit 16 bits */
    uint64_t *slots;  /* owned */
    uint64_t hash[2]; /* odd multipliers */
    unsigned shift;
    uint32_t *ranks; /* owned: by symbol, of wide slots; NULL: a symbol is its own rank */
} lm_pairs;

/* Fill p->slots with `count` slots of different pairs, p->narrow being set. 0 or LM_ENOMEM. */
LM_CHECKED int lm_pairs_place(lm_pairs *p, const uint64_t *slots, size_t count);
void lm_pairs_free(lm_pairs *p);

typedef struct lm_merge {
    uint32_t rank, sym; /* LM_NO_RANK: the two do not merge */
} lm_merge;

static inline uint64_t *lm_pairs_slot(const lm_pairs *p, uint64_t key, int place)
{
    return &p->slots[key * p->hash[place] >> p->shift];
}

/* The slot of a pair; all ones where the two do not merge. */
static inline uint64_t lm_pairs_find(const lm_pairs *p, uint64_t key, unsigned low)
{
    uint64_t a = *lm_pairs_slot(p, key, 0), b = *lm_pairs_slot(p, key, 1), slot = LM_EMPTY_MERGE;
    slot = a >> low == key ? a : slot;
    return b >> low == key ? b : slot;
}

/* Narrow only: rank << 16 | symbol, or all ones. */
static inline uint32_t lm_merge_find16(const lm_pairs *p, uint32_t left, uint32_t right)
{
    return (uint32_t)lm_pairs_find(p, left << 16 | right, 32);
}

/* Wide only: bits below LM_WIDE_BITS are the symbol; all ones where there is none. */
static inline uint64_t lm_merge_find21(const lm_pairs *p, uint32_t left, uint32_t right)
{
    return lm_pairs_find(p, (uint64_t)left << LM_WIDE_BITS | right, LM_WIDE_BITS);
}

static inline lm_merge lm_merge_find(const lm_pairs *p, uint32_t left, uint32_t right)
{
    if (p->narrow) {
        uint32_t m = lm_merge_find16(p, left, right);
        return m == UINT32_MAX ? (lm_merge){ LM_NO_RANK, 0 } : (lm_merge){ m >> 16, m & 0xffff };
    }
    uint64_t slot = lm_merge_find21(p, left, right);
    if (slot == LM_EMPTY_MERGE) return (lm_merge){ LM_NO_RANK, 0 };
    uint32_t sym = (uint32_t)slot & ((1U << LM_WIDE_BITS) - 1);
    return (lm_merge){ p->ranks ? p->ranks[sym] : sym, sym };
}

#endif
