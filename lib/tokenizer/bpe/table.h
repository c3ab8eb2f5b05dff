/* table.h -- one thread's table of the words seen and their ids. No locks, no sharing. */
#ifndef LM_LIB_TOKENIZER_BPE_TABLE_H
#define LM_LIB_TOKENIZER_BPE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "longmix/err.h"

#define LM_SHORT 16      /* bytes of a word that fits a slot; symbols that merge in registers */
#define LM_LONG_WORD 126 /* bytes of a word that fits the table of long words */

/* A word of at most 16 bytes, padded with 0xFF, which no UTF-8 has, and its ids. */
typedef struct lm_word {
    uint64_t low, high;
    unsigned char ids[15];
    uint8_t size; /* of ids, in bytes where they are written to */
} lm_word;
_Static_assert(sizeof(lm_word) == 32, "two slots are a cache line");
#define LM_NO_WORD UINT64_C(0xff) /* as low, a 0xFF before other bytes: an empty slot */

/* Four slots are a set. A word that comes again moves to the front, where the common words are
 * found at once; new words pass through the last two, so that words that occur once evict each
 * other. */
#define LM_WAYS 4

/* Memory for free(), in huge pages where it is large and the system has them. */
void *lm_huge_alloc(size_t bytes);

typedef struct lm_table {
    lm_word *words;
    unsigned shift, long_shift; /* 64 - bits of the index of a set, of a long word */
    uint32_t *longs;            /* where a long word is in `bytes`, and one more; 0: nowhere */
    unsigned char *long_bytes;  /* of each word two sizes, its bytes and its ids */
    uint32_t long_used, long_max;
    size_t bytes; /* of words */
} lm_table;

#define LM_SMALL_BITS 3 /* for tests */

/* 2^bits sets, and long words in proportion. 0 or LM_ENOMEM. */
LM_CHECKED int lm_table_new(lm_table *t, unsigned bits);
void lm_table_free(lm_table *t); /* a zeroed one is allowed */

static inline uint64_t lm_load64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

typedef struct lm_word_key {
    uint64_t low, high;
} lm_word_key;

/* Bytes past a word's end, all ones, from lm_word_pad + 16 - size. */
extern const unsigned char lm_word_pad[2 * LM_SHORT];

/* The key of 1 to 16 bytes, of which 16 can be read. */
static inline lm_word_key lm_key_of(const unsigned char *p, size_t size)
{
    return (lm_word_key){ lm_load64(p) | lm_load64(lm_word_pad + 16 - size),
                          lm_load64(p + 8) | lm_load64(lm_word_pad + 24 - size) };
}

static inline uint64_t lm_key_hash(lm_word_key k)
{
    return k.low * UINT64_C(0x9e3779b97f4a7c15) + k.high * UINT64_C(0x9fb21c651e98df25);
}

/* The hash of more than 8 bytes. */
static inline uint64_t lm_long_hash(const unsigned char *p, size_t n)
{
    uint64_t h = n;
    for (size_t i = 0; i + 8 < n; i += 8)
        h = (h ^ lm_load64(p + i)) * UINT64_C(0x9fb21c651e98df25), h ^= h >> 29;
    return (h ^ lm_load64(p + n - 8)) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline lm_word *lm_table_set(const lm_table *t, uint64_t hash)
{
    return &t->words[LM_WAYS * (hash >> t->shift)];
}

/* A slot of the set for a word that is not in it; the caller writes its ids. */
static inline lm_word *lm_table_put(lm_word *set, lm_word_key key)
{
    lm_word *s = set;
    while (s < set + LM_WAYS - 2 && s->low != LM_NO_WORD) s++;
    if (s == set + LM_WAYS - 2) s[1] = s[0];
    s->low = key.low;
    s->high = key.high;
    return s;
}

/* The slot of a word that is not at the front of its set, moved forward; or NULL. */
static inline const lm_word *lm_table_other(lm_word *set, lm_word_key key)
{
    for (lm_word *s = set + 1; s < set + LM_WAYS; s++) {
        if (s->low != key.low || s->high != key.high) continue;
        lm_word hit = *s, *to = s == set + 1 ? set : set + 1;
        *s = *to;
        *to = hit;
        return to;
    }
    return NULL;
}

/* A word of 17 to LM_LONG_WORD bytes and its ids. */
typedef struct lm_long_word {
    uint16_t word_size, size; /* of ids, in bytes */
    unsigned char bytes[];    /* of the word, then of its ids */
} lm_long_word;

enum { LM_LONG_PLACES = 4, LM_LONG_IDS = 4 * LM_LONG_WORD };

static inline const lm_long_word *lm_long_at(const lm_table *t, uint32_t place)
{
    return (const void *)(t->long_bytes + place);
}

/* The word, or NULL. It is valid until the next is put. */
static inline const lm_long_word *lm_long_find(const lm_table *t, uint64_t hash,
                                               const unsigned char *p, size_t n)
{
    const uint32_t *at = &t->longs[hash >> t->long_shift];
    for (int i = 0; i < LM_LONG_PLACES && at[i]; i++) {
        const lm_long_word *w = lm_long_at(t, at[i] - 1);
        if (w->word_size == n && !memcmp(w->bytes, p, n)) return w;
    }
    return NULL;
}

/* Put a word that is not there. When the memory is full, all words are forgotten. */
void lm_long_put(lm_table *t, uint64_t hash, const unsigned char *p, size_t n,
                 const unsigned char *ids, size_t size);

#endif
