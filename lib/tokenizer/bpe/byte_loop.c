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
    const lm_long_word *hit = n <= LM_LONG_WORD ? lm_long_find(&l->table, hash, p, n) : NULL;
    if (hit) {
        memcpy(out, hit->bytes + n, hit->size);
        return out + hit->size;
    }
    uint32_t id = lm_byte_find(l->v, hash, p, n);
    unsigned char *end =
        id != LM_NO_SYMBOL ? lm_put_id(out, id, l->merger.width) : merge(l, p, n, out);
    if (end && n <= LM_LONG_WORD) lm_long_put(&l->table, hash, p, n, out, (size_t)(end - out));
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

/* A part on its way: the set of its word is being fetched from memory. */
typedef struct ahead {
    lm_word_key key;
    uint64_t hash;
    uint32_t size; /* 0: the part has no ids */
    uint32_t made; /* one more than the number of its ids in lm_merges; 0: they are not there */
} ahead;

/* Take `count` parts, of which the first 16 bytes all can be read, and fetch their sets. */
INLINE void look_ahead(const lm_byte_loop *l, const unsigned char *text, size_t start,
                       const uint32_t *ends, size_t count, ahead *block)
{
    for (size_t i = 0; i < count; i++) {
        size_t end = ends[i] & ~LM_CUT_SKIP, size = end - start;
        ahead *a = &block[i];
        a->size = ends[i] & LM_CUT_SKIP ? 0 : (uint32_t)size;
        a->made = 0;
        a->key = lm_key_of(text + start, size < LM_SHORT ? size : LM_SHORT);
        a->hash = lm_key_hash(a->key);
        __builtin_prefetch(lm_table_set(&l->table, a->hash));
        start = end;
    }
}

static bool is_known(const lm_byte_loop *l, const unsigned char *p, ahead *a)
{
    if (a->size > LM_SHORT) {
        a->hash = lm_long_hash(p, a->size);
        return lm_long_find(&l->table, a->hash, p, a->size);
    }
    const lm_word *set = lm_table_set(&l->table, a->hash);
    for (int i = 1; i < LM_WAYS; i++)
        if (set[i].low == a->key.low && set[i].high == a->key.high) return true;
    return false;
}

/* Make the ids of the words of a block that are new, all at a time. */
__attribute__((noinline)) static void make_new(lm_byte_loop *l, const unsigned char *text,
                                               size_t start, const uint32_t *ends, size_t count,
                                               ahead *block)
{
    struct {
        const unsigned char *p;
        ahead *a;
    } list[LM_MERGES];
    size_t n = 0;
    for (size_t i = 0; i < count && n < LM_MERGES; i++) {
        ahead *a = &block[i];
        const unsigned char *p = text + start;
        start = ends[i] & ~LM_CUT_SKIP;
        if (!a->size || a->size > LM_MEDIUM) continue;
        if (a->size <= LM_SHORT) {
            const lm_word *set = lm_table_set(&l->table, a->hash);
            if (set->low == a->key.low && set->high == a->key.high) continue;
        }
        if (is_known(l, p, a)) continue;
        lm_byte_fetch(l->v, a->hash);
        list[n].p = p;
        list[n++].a = a;
    }
    l->merges->count = 0;
    for (size_t i = 0; i < n; i++) {
        ahead *a = list[i].a;
        uint32_t id = lm_byte_find(l->v, a->hash, list[i].p, a->size);
        a->made = lm_merges_add(l->merges, l->v, list[i].p, a->size, id) + 1;
    }
    lm_merges_run_avx2(l->merges, l->v);
}

/* The ids of a part that is not at the front of its set, or is long. */
__attribute__((noinline)) static unsigned char *other_part(lm_byte_loop *l, const unsigned char *p,
                                                           const ahead *a, unsigned char *out)
{
    const unsigned width = l->merger.width;
    lm_word *set = lm_table_set(&l->table, a->hash);
    if (a->size > LM_SHORT && !a->made) return long_part(l, p, a->size, out);
    const lm_word *hit = a->size > LM_SHORT ? NULL : lm_table_other(set, a->key);
    if (hit) {
        write_ids(hit, out, width);
        return out + hit->size;
    }
    unsigned char *end;
    if (a->made) {
        const lm_byte_merges_word *w = &l->merges->words[a->made - 1];
        end = out;
        for (uint32_t i = 0; i < w->count; i++) end = lm_put_id(end, w->at[i], width);
    } else {
        end = make_short(l, p, a->size, a->hash, out);
    }
    if (!end) return NULL;
    if (a->size <= LM_SHORT) put_short(set, a->key, out, (size_t)(end - out), width);
    else lm_long_put(&l->table, a->hash, p, a->size, out, (size_t)(end - out));
    return end;
}

/* The sets of a block of parts are fetched before the first of them is used: the table is larger than
 * the caches near the processor. */
INLINE unsigned char *encode_parts(lm_byte_loop *l, const unsigned char *text, size_t start,
                                   const uint32_t *ends, size_t count, unsigned char *out,
                                   unsigned width, bool simd)
{
    enum { BLOCK = 256 };
    ahead block[BLOCK];
    for (size_t at = 0; at < count; at += BLOCK) {
        size_t n = count - at < BLOCK ? count - at : BLOCK;
        look_ahead(l, text, start, ends + at, n, block);
        if (l->merges) make_new(l, text, start, ends + at, n, block);
        for (size_t i = 0; i < n; i++) {
            const ahead *a = &block[i];
            const lm_word *set = lm_table_set(&l->table, a->hash);
            const unsigned char *p = text + start;
            start = ends[at + i] & ~LM_CUT_SKIP;
            if (__builtin_expect(a->size - 1 >= LM_SHORT || set->low != a->key.low ||
                                     set->high != a->key.high,
                                 0)) {
                if (!a->size) continue;
                out = other_part(l, p, a, out);
                if (!out) return NULL;
                continue;
            }
            if (simd && width == 4) write_ids_avx2(set, out);
            else write_ids(set, out, width);
            out += set->size;
        }
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
