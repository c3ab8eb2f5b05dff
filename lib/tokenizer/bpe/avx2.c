/* avx2.c -- the two inner loops with AVX2: cut positions 64 bytes at a time, and the
 * merges of a short word with its ranks in one register. Chosen at run time. */
#include "lib/tokenizer/bpe/internal.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt")))

bool lm_avx2(void)
{
    unsigned a, b, c = 0, d; /* clang's __builtin_cpu_supports does not know lzcnt: bit 5 */
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __get_cpuid(0x80000001, &a, &b, &c, &d) && c >> 5 & 1;
}

typedef struct masks {
    uint64_t of[LM_CLASSES]; /* bit i: byte i is of the class */
} masks;

/* A byte is in a class when the row of its low half and the row of its high half share the
 * class's bit; a byte past ASCII is found by its sign bit. Letters take two bits: A to O and a to o,
 * and P to Z and p to z. */
enum { BIT_A_TO_O = 0x80, BIT_P_TO_Z = 0x40, BIT_DIGIT = 0x20, BIT_SPACE = 0x10, BIT_OTHER = 8 };

AVX2 static inline masks classify(const unsigned char *p, __m256i *highest)
{
    const char u = (char)BIT_A_TO_O, l = BIT_P_TO_Z, d = BIT_DIGIT, s = BIT_SPACE, o = BIT_OTHER;
    const char all = (char)(u | l | d | o), ulo = (char)(u | l | o), uo = (char)(u | o);
    const char lds = (char)(l | d | s | o);
    const __m256i low_rows =
        _mm256_setr_epi8(lds, all, all, all, all, all, all, all, all, all, ulo, uo, uo, u, uo, uo,
                         lds, all, all, all, all, all, all, all, all, all, ulo, uo, uo, u, uo, uo);
    const __m256i high_rows = _mm256_setr_epi8(o, o, s, d, u, l, u, l, 0, 0, 0, 0, 0, 0, 0, 0, o, o,
                                               s, d, u, l, u, l, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i nibble = _mm256_set1_epi8(15);
    uint32_t half[2][LM_CLASSES];
    for (int i = 0; i < 2; i++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(p + 32 * i));
        __m256i low = _mm256_shuffle_epi8(low_rows, v);
        __m256i high =
            _mm256_shuffle_epi8(high_rows, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
        __m256i bits = _mm256_and_si256(low, high);
        *highest = _mm256_max_epu8(*highest, v);
        half[i][LM_HIGH] = (uint32_t)_mm256_movemask_epi8(v);
        half[i][LM_LETTER] = (uint32_t)_mm256_movemask_epi8(bits) |
                             (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(bits, 1));
        half[i][LM_DIGIT] = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(bits, 2));
        half[i][LM_SPACE] = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(bits, 3));
        half[i][LM_OTHER] = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(bits, 4));
    }
    masks m;
    uint64_t some = 0;
    for (int c = 0; c < LM_PUNCT; c++) some |= m.of[c] = (uint64_t)half[1][c] << 32 | half[0][c];
    m.of[LM_PUNCT] = ~some;
    return m;
}

/* Write the positions of the bits of `cuts`. Eight at a time, needed or not: a loop whose length
 * is that of the words would be mispredicted once per block. */
AVX2 static inline size_t write_positions(uint32_t *out, uint64_t cuts, uint32_t base)
{
    size_t count = (size_t)__builtin_popcountll(cuts);
    for (size_t done = 0; done < count; done += 8) {
        for (int k = 0; k < 8; k++) {
            out[done + k] = base + (uint32_t)_tzcnt_u64(cuts);
            cuts = _blsr_u64(cuts);
        }
    }
    return count;
}

AVX2 static inline __attribute__((always_inline)) size_t scan(const lm_vocab *v,
                                                              const unsigned char *text, size_t pos,
                                                              size_t blocks, uint8_t *prev,
                                                              unsigned *flags, uint32_t *cuts,
                                                              bool cut_f)
{
    const uint64_t runs_last = v->runs_last ? ~UINT64_C(0) : 0;
    __m256i highest = _mm256_setzero_si256();
    uint64_t carry[LM_CLASSES], runs = 0, start = *prev == LM_CLASSES;
    size_t count = 0;
    for (int c = 0; c < LM_CLASSES; c++) carry[c] = *prev == c;
    for (size_t b = 0; b < blocks; b++) {
        const unsigned char *p = text + pos + 64 * b;
        masks m = classify(p, &highest);
        uint64_t before[LM_CLASSES], cut;
        for (int c = 0; c < LM_CLASSES; c++) {
            before[c] = m.of[c] << 1 | carry[c];
            carry[c] = m.of[c] >> 63;
        }
        const uint64_t space = m.of[LM_SPACE];
        const uint64_t after = space >> 1 | (uint64_t)(p[64] == ' ') << 63;
        const uint64_t run_ends = space & before[LM_SPACE] & ~after & runs_last;
        runs |= run_ends;
        if (cut_f) {
            cut = (space & ~before[LM_SPACE]) | run_ends | (m.of[LM_DIGIT] ^ before[LM_DIGIT]) |
                  (m.of[LM_OTHER] ^ before[LM_OTHER]) | (m.of[LM_LETTER] & before[LM_PUNCT]) |
                  (m.of[LM_PUNCT] & before[LM_LETTER]);
        } else {
            cut = run_ends;
            for (int x = 0; x < LM_CLASSES; x++) {
                uint64_t never = 0;
                for (int y = 0; y < LM_CLASSES; y++) never |= v->join[x][y] ? 0 : m.of[y];
                cut |= before[x] & never;
            }
        }
        cut &= ~start;
        start = 0;
        count += write_positions(cuts + count, cut, (uint32_t)(pos + 64 * b));
    }
    *prev = lm_byte_classes[text[pos + 64 * blocks - 1]];
    if (runs) *flags |= LM_SAW_RUN;
    if (_mm256_movemask_epi8(_mm256_cmpeq_epi8(highest, _mm256_set1_epi8(-1)))) *flags |= LM_SAW_FF;
    return count;
}

AVX2 size_t lm_scan_avx2(const lm_vocab *v, const unsigned char *text, size_t pos, size_t blocks,
                         uint8_t *prev, unsigned *flags, uint32_t *cuts)
{
    if (v->cut_f) return scan(v, text, pos, blocks, prev, flags, cuts, true);
    return scan(v, text, pos, blocks, prev, flags, cuts, false);
}

/* 2 to 16 symbols that merge. Symbol i is at[i + 1], between symbols that merge with nothing, so
 * that no step has to check for a neighbour; first[i] is its merge with the next one
 * alive, rank << 16 | symbol, and lane i of the ranks the rank of that. */
typedef struct word {
    __m256i ranks;
    uint32_t first[LM_SHORT];
    uint16_t at[LM_SHORT + 2];
    uint32_t alive; /* bit i + 1: symbol i; the two at the ends too */
    uint32_t n;
} word;

/* Sixteen lanes from `lanes_from + 16 - i` are all ones from lane i on, from `lane_of + 16 - i`
 * in lane i alone, for i from -1 on. */
static const uint16_t lanes_from[32] = { [16] = 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff,
                                         0xffff,        0xffff, 0xffff, 0xffff, 0xffff, 0xffff,
                                         0xffff,        0xffff, 0xffff, 0xffff };
static const uint16_t lane_of[33] = { [16] = 0xffff };

AVX2 static inline __m256i lanes(const uint16_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

AVX2 static inline void start_word(word *w, uint32_t n)
{
    w->n = n;
    w->alive = (4U << n) - 1;
    w->at[0] = w->at[n + 1] = 0xffff;
    w->ranks = _mm256_or_si256(w->ranks, lanes(lanes_from + 17 - n));
}

/* Make the best merge, if there is one. The instruction for the smallest of eight lanes gives
 * the leftmost of equals, as SentencePiece requires. */
AVX2 static inline __attribute__((always_inline)) bool merge_best(const lm_pairs *p, word *w)
{
    __m256i ranks = w->ranks;
    uint32_t low = (uint32_t)_mm_cvtsi128_si32(_mm_minpos_epu16(_mm256_castsi256_si128(ranks)));
    uint32_t high =
        (uint32_t)_mm_cvtsi128_si32(_mm_minpos_epu16(_mm256_extracti128_si256(ranks, 1)));
    /* rank in the low half, lane above: swapped, so that one comparison picks */
    low = low << 16 | low >> 16;
    high = (high << 16 | high >> 16) + 8;
    uint32_t best = low < high ? low : high;
    if (best >> 16 == 0xffff) return false;
    uint32_t i = best & 15;
    uint32_t right = w->alive >> i >> 2; /* from symbol i + 1 on */
    uint32_t j = i + 1 + (uint32_t)_tzcnt_u32(right);
    uint32_t k = i + 1 + (uint32_t)_tzcnt_u32(_blsr_u32(right));
    uint32_t h =
        31 - (uint32_t)_lzcnt_u32(w->alive & ((2U << i) - 1)); /* one more than its number */
    uint32_t sym = w->first[i] & 0xffff;
    uint32_t with_right = lm_merge_find16(p, sym, w->at[k + 1]);
    uint32_t with_left = lm_merge_find16(p, w->at[h], sym);
    w->at[i + 1] = (uint16_t)sym;
    w->alive &= ~(2U << j);
    w->first[i] = with_right;
    if (h) w->first[h - 1] = with_left;
    ranks = _mm256_blendv_epi8(ranks, _mm256_set1_epi16((short)(with_right >> 16)),
                               lanes(lane_of + 16 - i));
    ranks = _mm256_blendv_epi8(ranks, _mm256_set1_epi16((short)(with_left >> 16)),
                               lanes(lane_of + 17 - h));
    w->ranks = _mm256_or_si256(ranks, lanes(lane_of + 16 - j));
    return true;
}

AVX2 static inline unsigned char *write_word(const word *w, unsigned char *out)
{
    /* Most words are few ids: four are written, needed or not. */
    uint32_t alive = w->alive & ((2U << w->n) - 2);
    unsigned char *end = out + 2 * (size_t)__builtin_popcount(alive);
    for (int once = 0; once < 4; once++) {
        out = lm_put_id(out, w->at[_tzcnt_u32(alive) & 31], 2);
        alive = _blsr_u32(alive);
    }
    for (; alive; alive = _blsr_u32(alive)) out = lm_put_id(out, w->at[_tzcnt_u32(alive)], 2);
    return end;
}

AVX2 unsigned char *lm_bpe_ascii_avx2(const lm_vocab *v, const unsigned char *p, size_t n,
                                      unsigned char *out)
{
    word w;
    __m128i text = _mm_loadu_si128((const __m128i *)p);
    if ((uint32_t)_mm_movemask_epi8(text) & ((1U << n) - 1)) return NULL;
    __m256i first[2], syms[2];
    text = _mm_and_si128(text, _mm_set1_epi8(127));
    for (int i = 0; i < 2; i++) {
        __m128i next = i ? _mm_srli_si128(text, 9) : _mm_srli_si128(text, 1);
        __m256i a = _mm256_cvtepu8_epi32(i ? _mm_srli_si128(text, 8) : text);
        __m256i pair = _mm256_or_si256(_mm256_slli_epi32(a, 7), _mm256_cvtepu8_epi32(next));
        syms[i] = _mm256_i32gather_epi32((const int *)v->ascii_ids, a, 4);
        first[i] = _mm256_i32gather_epi32((const int *)v->ascii_merges, pair, 4);
        _mm256_storeu_si256((__m256i *)w.first + i, first[i]);
        first[i] = _mm256_srli_epi32(first[i], 16);
    }
    /* Packing works on halves of registers: the permutation puts the quarters in order. */
    w.ranks = _mm256_permute4x64_epi64(_mm256_packus_epi32(first[0], first[1]), 0xd8);
    _mm256_storeu_si256((__m256i *)(w.at + 1),
                        _mm256_permute4x64_epi64(_mm256_packus_epi32(syms[0], syms[1]), 0xd8));
    start_word(&w, (uint32_t)n);
    while (merge_best(&v->pairs, &w)) continue;
    return write_word(&w, out);
}

AVX2 static inline uint32_t smallest(__m256i eight)
{
    __m128i m = _mm_min_epu32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    m = _mm_min_epu32(m, _mm_shuffle_epi32(m, 0x4e));
    return (uint32_t)_mm_cvtsi128_si32(_mm_min_epu32(m, _mm_shuffle_epi32(m, 0xb1)));
}

/* The same for up to 64 symbols, with the ranks in memory. */
AVX2 unsigned char *lm_merge_narrow_avx2(const lm_merger *m, const uint32_t *syms, size_t n,
                                         unsigned char *out)
{
    const lm_pairs *p = m->pairs;
    uint16_t at[LM_MEDIUM + 2], ranks[LM_MEDIUM + 1], merged[LM_MEDIUM + 1];
    uint64_t alive = n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
    size_t blocks = (n + 7) / 8;
    at[0] = at[n + 1] = 0xffff; /* symbol i is at[i + 1]; ranks and merged have one in front too */
    for (size_t i = 0; i < n; i++) at[i + 1] = (uint16_t)syms[i];
    memset(ranks, 0xff, sizeof ranks);
    for (size_t i = 1; i < n; i++) {
        uint32_t found = lm_merge_find16(p, syms[i - 1], syms[i]);
        ranks[i] = (uint16_t)(found >> 16);
        merged[i] = (uint16_t)found;
    }
    for (;;) {
        uint32_t best = UINT32_MAX;
        for (size_t b = 0; b < blocks; b++) {
            __m128i eight = _mm_loadu_si128((const __m128i *)(ranks + 1 + 8 * b));
            uint32_t low = (uint32_t)_mm_cvtsi128_si32(_mm_minpos_epu16(eight));
            low = (low << 16 | low >> 16) + 8 * (uint32_t)b;
            best = low < best ? low : best;
        }
        if (best >> 16 == 0xffff) break;
        uint32_t i = best & 63;
        uint64_t right = alive >> i >> 1; /* from symbol i + 1 on */
        uint32_t j = i + 1 + (uint32_t)_tzcnt_u64(right);
        uint64_t past = _blsr_u64(right), before = alive & ((UINT64_C(1) << i) - 1);
        size_t k = past ? i + 1 + _tzcnt_u64(past) : n;
        size_t h = before ? 64 - _lzcnt_u64(before) : 0; /* one more than its number */
        uint32_t sym = merged[i + 1];
        uint32_t with_right = lm_merge_find16(p, sym, at[k + 1]),
                 with_left = lm_merge_find16(p, at[h], sym);
        at[i + 1] = (uint16_t)sym;
        alive &= ~(UINT64_C(1) << j);
        ranks[i + 1] = (uint16_t)(with_right >> 16);
        merged[i + 1] = (uint16_t)with_right;
        ranks[h] = (uint16_t)(with_left >> 16);
        merged[h] = (uint16_t)with_left;
        ranks[j + 1] = 0xffff;
    }
    for (; alive; alive = _blsr_u64(alive)) out = lm_merger_put(m, at[1 + _tzcnt_u64(alive)], out);
    return out;
}

/* The same for wide pairs whose symbols are their ranks. A lane is symbol << 6 | index, so that the
 * smallest lane is the leftmost of the best. */
AVX2 unsigned char *lm_merge_wide_avx2(const lm_merger *m, const uint32_t *syms, size_t n,
                                       unsigned char *out)
{
    const lm_pairs *p = m->pairs;
    const uint32_t none = (1U << LM_WIDE_BITS) - 1;  /* no symbol */
    uint32_t at[LM_MEDIUM + 2], lane[LM_MEDIUM + 8]; /* both have one in front */
    uint64_t alive = n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
    size_t blocks = (n + 7) / 8;
    at[0] = at[n + 1] = none;
    memcpy(at + 1, syms, n * sizeof *at);
    memset(lane, 0xff, sizeof lane);
    for (size_t i = 1; i < n; i++)
        lane[i] = (uint32_t)(lm_merge_find21(p, at[i], at[i + 1]) & none) << 6 | (uint32_t)(i - 1);
    for (;;) {
        __m256i least = _mm256_loadu_si256((const __m256i *)(lane + 1));
        for (size_t b = 1; b < blocks; b++)
            least =
                _mm256_min_epu32(least, _mm256_loadu_si256((const __m256i *)(lane + 1 + 8 * b)));
        uint32_t best = smallest(least);
        if (best >> 6 >= none) break;
        uint32_t i = best & 63, sym = best >> 6;
        uint64_t right = alive >> i >> 1; /* from symbol i + 1 on */
        uint32_t j = i + 1 + (uint32_t)_tzcnt_u64(right);
        uint64_t past = _blsr_u64(right), before = alive & ((UINT64_C(1) << i) - 1);
        size_t k = past ? i + 1 + _tzcnt_u64(past) : n;
        uint32_t h = before ? 64 - (uint32_t)_lzcnt_u64(before) : 0; /* one more than its number */
        uint64_t with_right = lm_merge_find21(p, sym, at[k + 1]);
        uint64_t with_left = lm_merge_find21(p, at[h], sym);
        at[i + 1] = sym;
        alive &= ~(UINT64_C(1) << j);
        lane[i + 1] = (uint32_t)(with_right & none) << 6 | i;
        lane[h] = (uint32_t)(with_left & none) << 6 | (h - 1);
        lane[j + 1] = UINT32_MAX;
    }
    for (; alive; alive = _blsr_u64(alive)) out = lm_merger_put(m, at[1 + _tzcnt_u64(alive)], out);
    return out;
}

#else

bool lm_avx2(void) { return false; }

size_t lm_scan_avx2(const lm_vocab *v, const unsigned char *text, size_t pos, size_t blocks,
                    uint8_t *prev, unsigned *flags, uint32_t *cuts)
{
    return lm_scan_scalar(v, text, pos, blocks, prev, flags, cuts);
}

unsigned char *lm_merge_narrow_avx2(const lm_merger *m, const uint32_t *syms, size_t n,
                                    unsigned char *out)
{
    (void)m, (void)syms, (void)n, (void)out;
    return NULL;
}

unsigned char *lm_merge_wide_avx2(const lm_merger *m, const uint32_t *syms, size_t n,
                                  unsigned char *out)
{
    (void)m, (void)syms, (void)n, (void)out;
    return NULL;
}

unsigned char *lm_bpe_ascii_avx2(const lm_vocab *v, const unsigned char *p, size_t n,
                                 unsigned char *out)
{
    (void)v, (void)p, (void)n, (void)out;
    return NULL;
}

#endif
