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

typedef struct lm_long_word {
    unsigned char word[LM_LONG_WORD];
    unsigned char ids[128];
    uint8_t word_size, size;
} lm_long_word;
_Static_assert(sizeof(lm_long_word) == 256, "a long slot is four cache lines");

/* Four slots are a set. A word that comes again moves to the front, where the common words are
 * found at once; new words pass through the last two, so that words that occur once evict each
 * other. */
#define LM_WAYS 4

/* Memory for free(), in huge pages where it is large and the system has them. */
void *lm_huge_alloc(size_t bytes);

typedef struct lm_table {
    lm_word *words;
    lm_long_word *longs;
    uint64_t mask; /* of sets */
    unsigned long_shift;
    size_t bytes; /* of words */
} lm_table;

#define LM_SET_BITS 16
#define LM_LONG_BITS 12

/* 2^bits sets, 2^long_bits long words. 0 or LM_ENOMEM. */
LM_CHECKED int lm_table_new(lm_table *t, unsigned bits, unsigned long_bits);
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
    return &t->words[LM_WAYS * (hash >> (64 - LM_SET_BITS) & t->mask)];
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

static inline lm_long_word *lm_table_long(const lm_table *t, uint64_t hash)
{
    return &t->longs[hash >> t->long_shift];
}

static inline bool lm_is_long_word(const lm_long_word *s, const unsigned char *p, size_t n)
{
    return s->word_size == n && !memcmp(s->word, p, n);
}

static inline void lm_long_put(lm_long_word *s, const unsigned char *p, size_t n,
                               const unsigned char *ids, size_t size)
{
    if (size > sizeof s->ids) return;
    s->word_size = (uint8_t)n;
    memcpy(s->word, p, n);
    s->size = (uint8_t)size;
    memcpy(s->ids, ids, size);
}

#endif
