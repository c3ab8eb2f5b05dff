/* byte_loop.c -- the loop over the parts of a text. */
#include "lib/tokenizer/bpe/byte_loop.h"

#include "lib/tokenizer/pattern/pattern.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt")))
#else
#define AVX2
#endif

#define INLINE static inline __attribute__((always_inline))

/* Ids of 4 bytes are kept as 3 in the table, so that a slot holds five. */
enum { PACKED = 3, PACKED_MAX = 5, NARROW_MAX = 7 };

/* ---- parts that are not in the table -------------------------------------------------- */

/* Merge any part. NULL: no memory. */
static unsigned char *merge(lm_byte_loop *l, const unsigned char *p, size_t n, unsigned char *out)
{
    const uint32_t *ids = l->v->ids;
    size_t count = 0;
    l->merger.rc = LM_OK;
    for (size_t i = 0; i < n; i++) {
        if (ids[p[i]] != LM_NO_SYMBOL) {
            if (!lm_merger_add(&l->merger, count++, p[i], &out)) return NULL;
        } else if (l->unk >= 0) {
            if (!lm_merger_flush(&l->merger, count, &out)) return NULL;
            count = 0;
            out = lm_put_id(out, (uint32_t)l->unk, l->merger.width);
        }
    }
    return lm_merger_flush(&l->merger, count, &out) ? out : NULL;
}

/* The ids of a part of up to 16 bytes, of which 16 can be read. */
static unsigned char *make_short(lm_byte_loop *l, const unsigned char *p, size_t n, uint64_t hash,
                                 unsigned char *out)
{
    uint32_t id = lm_byte_find(l->v, hash, p, n);
    if (id != LM_NO_SYMBOL) return lm_put_id(out, id, l->merger.width);
    if (l->simd && !l->v->holes) return lm_byte_short_avx2(l->v, p, n, l->merger.width, out);
    return merge(l, p, n, out);
}

static void put_short(lm_word *set, lm_word_key key, const unsigned char *ids, size_t size,
                      unsigned width)
{
    if (size > width * (width == 2 ? NARROW_MAX : PACKED_MAX)) return;
    lm_word *s = lm_table_put(set, key);
    s->size = (uint8_t)size;
    if (width == 2) memcpy(s->ids, ids, size);
    else
        for (size_t i = 0; 4 * i < size; i++) memcpy(s->ids + PACKED * i, ids + 4 * i, PACKED);
}

__attribute__((noinline)) static unsigned char *long_part(lm_byte_loop *l, const unsigned char *p,
                                                          size_t n, unsigned char *out)
{
    uint64_t hash = lm_long_hash(p, n);
    lm_long_word *s = n <= LM_LONG_WORD ? lm_table_long(&l->table, hash) : NULL;
    if (s && lm_is_long_word(s, p, n)) {
        memcpy(out, s->ids, s->size);
        return out + s->size;
    }
    uint32_t id = lm_byte_find(l->v, hash, p, n);
    unsigned char *end =
        id != LM_NO_SYMBOL ? lm_put_id(out, id, l->merger.width) : merge(l, p, n, out);
    if (end && s) lm_long_put(s, p, n, out, (size_t)(end - out));
    return end;
}

/* ---- the loop --------------------------------------------------------------------------- */

/* Write the ids of a slot: up to 32 bytes, of which s->size count. */
INLINE void write_ids(const lm_word *s, unsigned char *out, unsigned width)
{
    if (width == 2) {
        memcpy(out, s->ids, 16);
        return;
    }
    uint64_t low = lm_load64(s->ids), high = lm_load64(s->ids + 7) >> 8;
    const uint32_t ids[PACKED_MAX] = { (uint32_t)low & 0xffffff, (uint32_t)(low >> 24) & 0xffffff,
                                       (uint32_t)(low >> 48 | high << 16) & 0xffffff,
                                       (uint32_t)(high >> 8) & 0xffffff,
                                       (uint32_t)(high >> 32) & 0xffffff };
    memcpy(out, ids, sizeof ids);
}

#if defined(__x86_64__)
AVX2 static inline void write_ids_avx2(const lm_word *s, unsigned char *out)
{
    const __m256i from =
        _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, 12, 13, 14, -1, -1,
                         -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    __m256i ids = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)s->ids));
    _mm256_storeu_si256((__m256i *)out, _mm256_shuffle_epi8(ids, from));
}
#else
INLINE void write_ids_avx2(const lm_word *s, unsigned char *out) { write_ids(s, out, 4); }
#endif

/* A part that is not at the front of its set: move it forward, or make its ids. */
__attribute__((noinline)) static unsigned char *other_part(lm_byte_loop *l, const unsigned char *p,
                                                           size_t n, lm_word *set, lm_word_key key,
                                                           uint64_t hash, unsigned char *out)
{
    const lm_word *hit = lm_table_other(set, key);
    if (hit) {
        write_ids(hit, out, l->merger.width);
        return out + hit->size;
    }
    unsigned char *end = make_short(l, p, n, hash, out);
    if (end) put_short(set, key, out, (size_t)(end - out), l->merger.width);
    return end;
}

/* Write the ids of a part, of whose first 16 bytes all can be read. */
INLINE unsigned char *encode_part(lm_byte_loop *l, const unsigned char *p, size_t n,
                                  unsigned char *out, unsigned width, bool simd)
{
    if (__builtin_expect(n > LM_SHORT, 0)) return long_part(l, p, n, out);
    lm_word_key key = lm_key_of(p, n);
    uint64_t hash = lm_key_hash(key);
    lm_word *set = lm_table_set(&l->table, hash);
    if (__builtin_expect(set->low != key.low || set->high != key.high, 0))
        return other_part(l, p, n, set, key, hash, out);
    if (simd && width == 4) write_ids_avx2(set, out);
    else write_ids(set, out, width);
    return out + set->size;
}

INLINE unsigned char *encode_parts(lm_byte_loop *l, const unsigned char *text, size_t start,
                                   const uint32_t *ends, size_t count, unsigned char *out,
                                   unsigned width, bool simd)
{
    for (size_t i = 0; i < count; i++) {
        size_t end = ends[i];
        if (__builtin_expect(end & LM_CUT_SKIP, 0)) {
            start = end & ~(size_t)LM_CUT_SKIP;
            continue;
        }
        out = encode_part(l, text + start, end - start, out, width, simd);
        if (__builtin_expect(!out, 0)) return NULL;
        start = end;
    }
    return out;
}

AVX2 static unsigned char *encode_wide_avx2(lm_byte_loop *l, const unsigned char *text,
                                            size_t start, const uint32_t *ends, size_t count,
                                            unsigned char *out)
{
    return encode_parts(l, text, start, ends, count, out, 4, true);
}

static unsigned char *encode_some(lm_byte_loop *l, const unsigned char *text, size_t start,
                                  const uint32_t *ends, size_t count, unsigned char *out)
{
    if (l->merger.width == 2) return encode_parts(l, text, start, ends, count, out, 2, false);
    if (l->simd) return encode_wide_avx2(l, text, start, ends, count, out);
    return encode_parts(l, text, start, ends, count, out, 4, false);
}

/* Parts near the end of the text, of which less than 16 bytes can be read. */
static unsigned char *encode_last(lm_byte_loop *l, const unsigned char *text, size_t start,
                                  const uint32_t *ends, size_t count, unsigned char *out)
{
    for (size_t i = 0; out && i < count; i++) {
        size_t end = ends[i] & ~(size_t)LM_CUT_SKIP, n = end - start;
        unsigned char copy[LM_SHORT] = { 0 };
        const uint32_t all = (uint32_t)n;
        if (!(ends[i] & LM_CUT_SKIP)) {
            if (n <= LM_SHORT) memcpy(copy, text + start, n);
            out = n <= LM_SHORT ? encode_some(l, copy, 0, &all, 1, out)
                                : long_part(l, text + start, n, out);
        }
        start = end;
    }
    return out;
}

int lm_byte_parts(lm_byte_loop *l, const unsigned char *text, size_t n, size_t start,
                  const uint32_t *ends, size_t count, lm_buf *out)
{
    size_t most = count; /* parts that begin 16 bytes or more before the end of the text */
    while (most > 1 && (ends[most - 2] & ~LM_CUT_SKIP) + (size_t)LM_SHORT > n) most--;
    if (most == 1 && start + LM_SHORT > n) most = 0;
    unsigned char *end = encode_some(l, text, start, ends, most, out->data + out->size);
    if (most) start = ends[most - 1] & ~LM_CUT_SKIP;
    if (end) end = encode_last(l, text, start, ends + most, count - most, end);
    if (!end) return l->merger.rc;
    out->size = (size_t)(end - out->data);
    return LM_OK;
}
