/* byte_merges.c -- many words merged at the same time. A merge waits for two lookups in a table that is
 * larger than the caches; the lookups of all words are fetched before the first is used. */
#include "lib/tokenizer/bpe/byte_loop.h"

uint32_t lm_merges_add(lm_byte_merges *m, const lm_byte_vocab *v, const unsigned char *p, size_t n,
                       uint32_t id)
{
    lm_byte_merges_word *w = &m->words[m->count];
    w->size = id == LM_NO_SYMBOL ? (uint32_t)n : 0;
    w->count = 1;
    w->at[0] = id;
    if (!w->size) return (uint32_t)m->count++;
    w->alive = n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
    w->at[0] = w->at[n + 1] = LM_NO_SYMBOL;
    for (size_t i = 0; i < n; i++) w->at[i + 1] = p[i];
    for (size_t i = 0; i + 1 < n; i++)
        w->lane[i + 1] = v->first[p[i] << 8 | p[i + 1]] << 6 | (uint32_t)i;
    for (size_t i = n; i < (n + 7) / 8 * 8 + 1; i++) w->lane[i] = UINT32_MAX;
    return (uint32_t)m->count++;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt")))

AVX2 static inline uint32_t smallest_lane(const lm_byte_merges_word *w)
{
    const __m256i *lanes = (const __m256i *)(w->lane + 1);
    __m256i least = _mm256_loadu_si256(lanes);
    for (size_t b = 1; b < (w->size + 7) / 8; b++)
        least = _mm256_min_epu32(least, _mm256_loadu_si256(lanes + b));
    __m128i m = _mm_min_epu32(_mm256_castsi256_si128(least), _mm256_extracti128_si256(least, 1));
    m = _mm_min_epu32(m, _mm_shuffle_epi32(m, 0x4e));
    return (uint32_t)_mm_cvtsi128_si32(_mm_min_epu32(m, _mm_shuffle_epi32(m, 0xb1)));
}

static inline uint64_t key_of(uint32_t left, uint32_t right)
{
    return (uint64_t)left << LM_WIDE_BITS | right;
}

static inline void fetch(const lm_pairs *p, uint32_t left, uint32_t right)
{
    __builtin_prefetch(lm_pairs_slot(p, key_of(left, right), 0));
    __builtin_prefetch(lm_pairs_slot(p, key_of(left, right), 1));
}

/* Choose the next merge and fetch what it leads to. False: there is none. */
AVX2 static inline bool choose(const lm_pairs *p, lm_byte_merges_word *w)
{
    uint32_t best = smallest_lane(w), i = best & 63;
    if (best >> 6 >= LM_NO_SYMBOL) return false;
    uint64_t right = w->alive >> i >> 1; /* from symbol i + 1 on */
    uint64_t past = _blsr_u64(right), before = w->alive & ((UINT64_C(1) << i) - 1);
    w->sym = best >> 6;
    w->i = i;
    w->j = i + 1 + (uint32_t)_tzcnt_u64(right);
    w->k = past ? i + 1 + (uint32_t)_tzcnt_u64(past) : w->size;
    w->h = before ? 64 - (uint32_t)_lzcnt_u64(before) : 0; /* one more than its number */
    fetch(p, w->sym, w->at[w->k + 1]);
    fetch(p, w->at[w->h], w->sym);
    return true;
}

AVX2 static inline void make(const lm_pairs *p, lm_byte_merges_word *w)
{
    uint32_t with_right = (uint32_t)lm_merge_find21(p, w->sym, w->at[w->k + 1]) & LM_NO_SYMBOL;
    uint32_t with_left = (uint32_t)lm_merge_find21(p, w->at[w->h], w->sym) & LM_NO_SYMBOL;
    w->at[w->i + 1] = w->sym;
    w->alive &= ~(UINT64_C(1) << w->j);
    w->lane[w->i + 1] = with_right << 6 | w->i;
    w->lane[w->h] = with_left << 6 | ((w->h - 1) & 63);
    w->lane[w->j + 1] = UINT32_MAX;
}

AVX2 void lm_merges_run_avx2(lm_byte_merges *m, const lm_byte_vocab *v)
{
    lm_byte_merges_word *todo[LM_MERGES];
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++)
        if (m->words[i].size) todo[count++] = &m->words[i];
    while (count) {
        size_t left = 0;
        for (size_t i = 0; i < count; i++) {
            lm_byte_merges_word *w = todo[i];
            if (choose(&v->pairs, w)) {
                todo[left++] = w;
                continue;
            }
            w->count = 0;
            for (uint64_t alive = w->alive; alive; alive = _blsr_u64(alive))
                w->at[w->count++] = v->ids[w->at[1 + _tzcnt_u64(alive)]];
        }
        count = left;
        for (size_t i = 0; i < count; i++) make(&v->pairs, todo[i]);
    }
}

#else

void lm_merges_run_avx2(lm_byte_merges *m, const lm_byte_vocab *v) { (void)m, (void)v; }

#endif
