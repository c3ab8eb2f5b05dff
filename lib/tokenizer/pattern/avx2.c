/* avx2.c -- the scanners of scan.c with AVX2, chosen at run time.
 *
 * A block of up to 64 bytes begins where a part does. Its characters are classified into bit masks, one
 * bit for each character, and the cuts follow from shifts and additions of masks. All cuts that cannot
 * depend on text after the block are written; the next block begins at the last of them. So nothing is
 * carried from block to block. Where a block has no such cut, or begins with what the masks do not
 * express, scan.c finds one part. */
#include "lib/tokenizer/pattern/internal.h"

#include <string.h>

#include "lib/base/text.h"
#include "lib/tokenizer/unicode/unicode.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#define INLINE AVX2 static inline __attribute__((always_inline))

bool lm_parts_have_avx2(void)
{
    unsigned a, b, c = 0, d; /* clang's __builtin_cpu_supports does not know lzcnt: bit 5 */
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
           __get_cpuid(0x80000001, &a, &b, &c, &d) && c >> 5 & 1;
}

typedef struct block {
    const unsigned char *p; /* 64 bytes and some more may be read */
    uint64_t lead;          /* bit i: byte i begins a character of the block */
    uint64_t all;           /* a bit for each character */
    unsigned count;         /* of characters */
    bool last;              /* the text ends after them */
    /* Disjoint, except where said. */
    uint64_t upper, lower, both; /* letters: with case, and letters without case and marks */
    uint64_t number, space, other;
    uint64_t mark;                /* of both */
    uint64_t blank, newline;      /* of space: U+0020; CR and LF */
    uint64_t apostrophe, slash;   /* of other */
    uint64_t sign;                /* of other: P and S */
    uint64_t cjk;                 /* lm_is_cjk */
    uint64_t ascii_letter, ascii; /* of all */
} block;

/* ---- classes of characters ---- */

/* A byte is in a class when the row of its low half and the row of its high half share the class's bit.
 * Letters take two bits: A to O and a to o, and P to Z and p to z. */
enum {
    BIT_A_TO_O = 1,
    BIT_P_TO_Z = 2,
    BIT_DIGIT = 4,
    BIT_CONTROL_SPACE = 8,
    BIT_NEWLINE = 16,
    BIT_BLANK = 32,
    BIT_APOSTROPHE = 64,
    BIT_SLASH = 128,
};

typedef struct pair {
    __m256i v[2];
} pair;

/* Bits 0 to n - 1. */
INLINE uint64_t before_count(unsigned n) { return n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0); }

/* Bit `bit` of each of 64 bytes. */
INLINE uint64_t mask_of(pair x, int bit)
{
    uint32_t a = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(x.v[0], 7 - bit));
    uint32_t b = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(x.v[1], 7 - bit));
    return (uint64_t)b << 32 | a;
}

INLINE pair load(const unsigned char *p)
{
    return (pair){ { _mm256_loadu_si256((const __m256i *)p),
                     _mm256_loadu_si256((const __m256i *)(p + 32)) } };
}

/* The ASCII characters among 64 bytes; returns which bytes are past ASCII. */
INLINE uint64_t classify(block *b, enum lm_scan_family family)
{
    const char l1 = BIT_A_TO_O, l2 = BIT_P_TO_Z, d = BIT_DIGIT, w = BIT_CONTROL_SPACE,
               n = BIT_NEWLINE, s = BIT_BLANK, q = BIT_APOSTROPHE, h = (char)BIT_SLASH;
    const char any = (char)(l1 | l2 | d);
    const __m256i low_rows = _mm256_broadcastsi128_si256(
        _mm_setr_epi8((char)(l2 | d | s), any, any, any, any, any, any, (char)(any | q), any,
                      (char)(any | w), (char)(l1 | l2 | w | n), (char)(l1 | w), (char)(l1 | w),
                      (char)(l1 | w | n), l1, (char)(l1 | h)));
    const __m256i high_rows = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        (char)(w | n), 0, (char)(s | q | h), d, l1, l2, l1, l2, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i nibble = _mm256_set1_epi8(15);
    pair v = load(b->p), bits;
    for (int i = 0; i < 2; i++) {
        __m256i high = _mm256_and_si256(_mm256_srli_epi16(v.v[i], 4), nibble);
        bits.v[i] = _mm256_and_si256(_mm256_shuffle_epi8(low_rows, v.v[i]),
                                     _mm256_shuffle_epi8(high_rows, high));
    }
    const uint64_t past_ascii = mask_of(v, 7), letter = mask_of(bits, 0) | mask_of(bits, 1);
    b->number = mask_of(bits, 2);
    b->blank = mask_of(bits, 5);
    b->space = mask_of(bits, 3) | b->blank;
    b->apostrophe = mask_of(bits, 6);
    b->newline = family == LM_SCAN_GPT2 ? 0 : mask_of(bits, 4);
    b->other = ~(letter | b->number | b->space | past_ascii);
    if (family == LM_SCAN_CASED) {
        b->lower = letter & mask_of(v, 5);
        b->upper = letter & ~b->lower;
        b->slash = mask_of(bits, 7);
    } else {
        b->lower = letter;
        b->upper = b->slash = 0;
    }
    if (family == LM_SCAN_DEEPSEEK) {
        uint64_t control = 0;
        for (int i = 0; i < 2; i++) {
            __m256i c = _mm256_or_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(32), v.v[i]),
                                        _mm256_cmpeq_epi8(_mm256_set1_epi8(127), v.v[i]));
            control |= (uint64_t)(uint32_t)_mm256_movemask_epi8(c) << 32 * i;
        }
        b->sign = b->other & ~control;
        b->ascii = ~past_ascii;
        b->ascii_letter = letter;
    }
    b->both = b->mark = b->cjk = 0;
    return past_ascii;
}

/* Which bytes are `low` or above, of those past ASCII. */
INLINE uint64_t at_least(pair v, unsigned low, uint64_t past_ascii)
{
    const __m256i below = _mm256_set1_epi8((char)(low - 1));
    const pair above = { { _mm256_cmpgt_epi8(v.v[0], below), _mm256_cmpgt_epi8(v.v[1], below) } };
    return mask_of(above, 7) & past_ascii;
}

INLINE uint8_t sets_of(const lm_rules *r, enum lm_scan_family family, uint32_t c)
{
    if (family == LM_SCAN_GPT2 && r->digits && lm_unicode_is_digit(c)) return LM_U_NUMBER;
    return lm_unicode_sets(c);
}

/* Add the characters past ASCII, and make one bit of each character. The block then ends before one that
 * is not whole in it or is not UTF-8. There is a loop for each length, so that no branch depends on
 * a single character. */
INLINE void add_past_ascii(block *b, const lm_rules *r, enum lm_scan_family family,
                           uint64_t past_ascii)
{
    const unsigned char *p = b->p;
    unsigned char sets[64];
    _mm256_storeu_si256((__m256i *)sets, _mm256_setzero_si256());
    _mm256_storeu_si256((__m256i *)(sets + 32), _mm256_setzero_si256());

    const pair bytes = load(p);
    const uint64_t from2 = at_least(bytes, 0xc0, past_ascii);
    const uint64_t from3 = at_least(bytes, 0xe0, past_ascii);
    const uint64_t from4 = at_least(bytes, 0xf0, past_ascii);
    const uint64_t follow = past_ascii & ~from2;
    const uint64_t not_whole =
        (from2 & UINT64_C(1) << 63) | (from3 & UINT64_C(3) << 62) | (from4 & UINT64_C(7) << 61);
    uint64_t invalid = follow ^ (from2 << 1 | from3 << 2 | from4 << 3), cjk = 0;
    for (uint64_t at = from2 & ~from3 & ~not_whole; at; at = _blsr_u64(at)) {
        const unsigned i = (unsigned)_tzcnt_u64(at);
        const uint32_t c = (uint32_t)(p[i] & 31) << 6 | (p[i + 1] & 63);
        sets[i] = sets_of(r, family, c);
        invalid |= (uint64_t)(c < 0x80) << i;
    }
    for (uint64_t at = from3 & ~from4 & ~not_whole; at; at = _blsr_u64(at)) {
        const unsigned i = (unsigned)_tzcnt_u64(at);
        const uint32_t c =
            (uint32_t)(p[i] & 15) << 12 | (uint32_t)(p[i + 1] & 63) << 6 | (p[i + 2] & 63);
        sets[i] = sets_of(r, family, c);
        invalid |= (uint64_t)(c < 0x800 || (c >= 0xd800 && c < 0xe000)) << i;
        if (family == LM_SCAN_DEEPSEEK) cjk |= (uint64_t)lm_is_cjk(c) << i;
    }
    for (uint64_t at = from4 & ~not_whole; at; at = _blsr_u64(at)) {
        const unsigned i = (unsigned)_tzcnt_u64(at);
        const uint32_t c = (uint32_t)(p[i] & 15) << 18 | (uint32_t)(p[i + 1] & 63) << 12 |
                           (uint32_t)(p[i + 2] & 63) << 6 | (p[i + 3] & 63);
        const bool valid = c >= 0x10000 && c < 0x110000;
        sets[i] = sets_of(r, family, valid ? c : 0);
        invalid |= (uint64_t)!valid << i;
    }
    b->lead &= ~follow;
    if (not_whole) {
        b->lead &= (not_whole & -not_whole) - 1;
        b->last = false;
    }
    if (invalid) { /* which may be a byte that follows: its character is left out as well */
        b->lead &= (invalid & -invalid) - 1;
        if (b->lead) b->lead ^= UINT64_C(1) << (63 - _lzcnt_u64(b->lead));
        b->last = false;
    }

    const pair v = load(sets);
    const uint64_t upper = mask_of(v, 0), lower = mask_of(v, 1), mark = mask_of(v, 3);
    const uint64_t both = mask_of(v, 2) | mark, number = mask_of(v, 4), space = mask_of(v, 5);
    const uint64_t lead = b->lead;
    b->other |= past_ascii & ~(upper | lower | both | number | space);
    b->upper = _pext_u64(b->upper | upper, lead);
    b->lower = _pext_u64(b->lower | lower, lead);
    b->both = _pext_u64(both, lead);
    b->mark = _pext_u64(mark, lead);
    b->number = _pext_u64(b->number | number, lead);
    b->space = _pext_u64(b->space | space, lead);
    b->other = _pext_u64(b->other, lead);
    b->blank = _pext_u64(b->blank, lead);
    b->apostrophe = _pext_u64(b->apostrophe, lead);
    if (family != LM_SCAN_GPT2) b->newline = _pext_u64(b->newline, lead);
    if (family == LM_SCAN_CASED) b->slash = _pext_u64(b->slash, lead);
    if (family == LM_SCAN_DEEPSEEK) {
        b->sign = _pext_u64(b->sign | mask_of(v, 6) | mask_of(v, 7), lead);
        b->cjk = _pext_u64(cjk, lead);
        b->ascii = _pext_u64(b->ascii, lead);
        b->ascii_letter = _pext_u64(b->ascii_letter, lead);
    }
    b->count = (unsigned)_mm_popcnt_u64(lead);
    b->all = before_count(b->count);
}

/* ---- cuts: bit i, before character i ---- */

/* The run of `x` that begins at each bit of `from`, a subset of x. */
INLINE uint64_t runs_from(uint64_t x, uint64_t from) { return (x & ~(x + from)) | from; }

/* Numbers in groups of at most `most`. */
INLINE uint64_t number_cuts(uint64_t number, unsigned most)
{
    if (most == 1) return number;
    uint64_t cuts = number & ~(number << 1);
    const uint64_t fourth = number & number << 1 & number << 2 & number << 3;
    for (uint64_t at = cuts; (at = at << 3 & fourth);) cuts |= at;
    return cuts;
}

/* Runs of white space: at the begin, after the last line end, and before the last character, where one
 * follows that is none. */
INLINE uint64_t space_cuts(uint64_t space, uint64_t newline, uint64_t next_is_other)
{
    const uint64_t plain = space & ~newline;
    uint64_t after = plain & newline << 1;
    if (after) {
        /* Not where another line end follows. */
        uint64_t followed = (plain + after) & ~plain & newline;
        for (; followed; followed &= followed - 1) {
            const uint64_t lower = after & ((followed & -followed) - 1);
            after &= ~(UINT64_C(1) << (63 - _lzcnt_u64(lower)));
        }
    }
    return (space & ~(space << 1)) | after | (plain & next_is_other);
}

/* The characters (2 or 3) of a contraction at p, which is an apostrophe, or 0. */
INLINE unsigned contraction_at(const unsigned char *p, bool any_case)
{
    unsigned char a = p[1], c = p[2];
    if (any_case) {
        if (a == 0xc5 && c == 0xbf) return 2;
        a = a < 0x80 ? a | 32 : 0;
        c = c < 0x80 ? c | 32 : 0;
    }
    switch (a) {
    case 's':
    case 't':
    case 'm':
    case 'd': return 2;
    case 'r':
    case 'v': return c == 'e' ? 3 : 0;
    case 'l': return c == 'l' ? 3 : 0;
    }
    return 0;
}

/* The byte that character i of a block begins at. */
INLINE unsigned byte_of(const block *b, unsigned i)
{
    return (unsigned)_tzcnt_u64(_pdep_u64(UINT64_C(1) << i, b->lead));
}

/* Apostrophes at the begin of parts: the cuts with those of contractions. */
INLINE uint64_t contraction_cuts(const block *b, uint64_t cuts, uint64_t begins, bool any_case)
{
    for (uint64_t at = begins & before_count(b->last ? 63 : b->count - 2); at; at &= at - 1) {
        const unsigned i = (unsigned)_tzcnt_u64(at);
        const unsigned n = contraction_at(b->p + byte_of(b, i), any_case);
        if (!n) continue;
        cuts &= ~((n == 2 ? UINT64_C(2) : UINT64_C(6)) << i);
        if (i + n < 64) cuts |= UINT64_C(1) << (i + n);
    }
    return cuts;
}

INLINE uint64_t gpt2_cuts(const lm_rules *r, const block *b)
{
    const uint64_t letter = (b->upper | b->lower | b->both) & ~b->mark;
    const uint64_t other = b->other | b->mark, after_blank = b->blank << 1;
    const uint64_t wall = r->digits ? b->number : 0;
    const uint64_t other_begin = other & ~(other << 1) & ~after_blank;
    uint64_t cuts = other_begin | (letter & ~(letter << 1) & ~after_blank) |
                    (b->number & ~(b->number << 1) & ~after_blank) | wall | wall << 1 |
                    space_cuts(b->space, 0, (b->all & ~b->space & ~wall) >> 1);
    const uint64_t apostrophe = b->apostrophe & (other_begin | 1);
    return apostrophe ? contraction_cuts(b, cuts, apostrophe, false) : cuts;
}

/* What is common to the other families. */
typedef struct common {
    uint64_t absorbed;    /* line ends (and slashes) that belong to the characters before them */
    uint64_t other_begin; /* others at the begin of a part */
    uint64_t plain;       /* white space but line ends */
    uint64_t cuts;
} common;

INLINE common common_cuts(const lm_rules *r, const block *b, uint64_t other, uint64_t wall,
                          uint64_t tail)
{
    common c;
    c.absorbed = runs_from(tail, b->newline & other << 1 & ~wall);
    const uint64_t own = other & ~c.absorbed, space = b->space & ~c.absorbed;
    c.other_begin = own & ~(own << 1 & ~wall) & ~(b->blank << 1 & ~wall);
    c.plain = b->space & ~b->newline;
    uint64_t in_space =
        space_cuts(space, b->newline & ~c.absorbed, (b->all & ~b->space & ~wall) >> 1);
    if (r->end_whole && b->last && space >> (b->count - 1)) {
        /* All of the white space at the end is one part. */
        const unsigned begin = 64 - (unsigned)_lzcnt_u64(~space & b->all);
        in_space &= before_count(begin + 1) | ~b->all;
    }
    c.cuts = c.other_begin | in_space | (c.absorbed << 1 & ~c.absorbed) |
             number_cuts(b->number, r->numbers);
    return c;
}

INLINE uint64_t words_cuts(const lm_rules *r, const block *b)
{
    const uint64_t mark = r->marks ? 0 : b->mark;
    const uint64_t letter = (b->upper | b->lower | b->both) & ~mark, other = b->other | mark;
    const common c = common_cuts(r, b, other, 0, b->newline);
    const uint64_t first = c.other_begin | (other & 1);
    uint64_t cuts = c.cuts | (letter & ~((letter | c.plain | first) << 1));
    const uint64_t apostrophe = b->apostrophe & first;
    return apostrophe ? contraction_cuts(b, cuts, apostrophe, true) : cuts;
}

/* *limit is lowered to the last cut that is certain. */
INLINE void lower_limit(unsigned *limit, unsigned to)
{
    if (to < *limit) *limit = to;
}

INLINE uint64_t cased_cuts(const lm_rules *r, const block *b, unsigned *limit)
{
    const uint64_t word = b->upper | b->lower | b->both;
    const common c = common_cuts(r, b, b->other, 0, b->newline | b->slash);
    const uint64_t first = c.other_begin | (b->other & ~c.absorbed & 1);
    uint64_t small = b->lower; /* after them, a capital begins a word */
    uint64_t cuts = c.cuts | (word & ~((word | c.plain | first) << 1));
    if (b->both) {
        small |= runs_from(b->both, b->both & b->lower << 1);
        /* Between letters without case and capitals, unless small letters follow those. */
        for (uint64_t at = b->upper & (b->both & ~small) << 1; at; at &= at - 1) {
            const unsigned i = (unsigned)_tzcnt_u64(at);
            const unsigned end = i + (unsigned)_tzcnt_u64(~(b->upper >> i));
            if (end >= b->count && !b->last) lower_limit(limit, i - 1);
            else if (end >= 64 || !((b->lower | b->both) >> end & 1)) cuts |= UINT64_C(1) << i;
        }
        /* A mark after two or more others is one of them. */
        const uint64_t hard = b->mark & (b->other & ~c.absorbed & ~first) << 1;
        if (hard) lower_limit(limit, (unsigned)_tzcnt_u64(hard) - 1);
    }
    cuts |= b->upper & small << 1;
    if (!r->contractions) return cuts;
    uint64_t at = b->apostrophe & word << 1 & before_count(b->last ? 63 : b->count - 2);
    for (unsigned done = 0; at; at &= at - 1) {
        const unsigned i = (unsigned)_tzcnt_u64(at);
        const unsigned n = i == done ? 0 : contraction_at(b->p + byte_of(b, i), true);
        if (!n) continue;
        done = i + n;
        cuts &= ~((n == 2 ? UINT64_C(3) : UINT64_C(7)) << i);
        if (done < 64) cuts |= UINT64_C(1) << done;
        if (done < 64 && b->both >> done & 1) lower_limit(limit, done);
    }
    return cuts;
}

INLINE uint64_t deepseek_cuts(const lm_rules *r, const block *b, unsigned *limit)
{
    const uint64_t word = b->upper | b->lower | b->both, unmatched = b->other & ~b->sign;
    const uint64_t number = b->number;
    const uint64_t wall = (number ^ number << 1) | (b->cjk ^ b->cjk << 1);
    const common c = common_cuts(r, b, b->sign, wall, b->newline);
    /* An ASCII sign and ASCII letters */
    const uint64_t sign = (c.other_begin | (b->sign & 1)) & b->ascii & b->ascii_letter >> 1;
    const uint64_t cuts = c.cuts | (word & ~((word | c.plain) << 1 & ~wall) & ~(sign << 1)) | wall;
    /* end before other letters. */
    const uint64_t ends = (b->ascii_letter + (sign << 1)) & ~b->ascii_letter & word;
    if (unmatched) lower_limit(limit, (unsigned)_tzcnt_u64(unmatched));
    return cuts | ends | unmatched;
}

/* ---- blocks ---- */

/* Write the positions of the bits of `cuts`. Eight at a time, needed or not: a loop whose length
 * is that of the parts would be mispredicted once per block. */
INLINE size_t write_ends(uint32_t *out, uint64_t cuts, uint32_t base)
{
    size_t count = (size_t)_mm_popcnt_u64(cuts);
    for (size_t done = 0; done < count; done += 8) {
        for (int k = 0; k < 8; k++) {
            out[done + k] = base + (uint32_t)_tzcnt_u64(cuts);
            cuts = _blsr_u64(cuts);
        }
    }
    return count;
}

/* Letters at which a block may begin, though a part does not: the next cut is the same. */
INLINE uint64_t inner_letters(enum lm_scan_family family, const block *b)
{
    uint64_t letters = b->upper | b->lower | (b->both & ~b->mark);
    if (family == LM_SCAN_DEEPSEEK) return letters & ~b->ascii; /* which may follow a sign */
    if (family == LM_SCAN_CASED) {
        /* A word has small letters already, or none yet. */
        const uint64_t from_lower = -(b->lower & -b->lower);
        letters = b->lower | (letters & b->both & ~from_lower);
    }
    return letters & ~(b->apostrophe << 1 | b->apostrophe << 2); /* not in contractions */
}

INLINE ptrdiff_t parts(const lm_rules *r, enum lm_scan_family family, const unsigned char *text,
                       size_t n, size_t from, uint32_t *ends, size_t max)
{
    size_t count = 0;
    while (from < n && count + 64 <= max) {
        unsigned char copy[72];
        block b = { .p = text + from, .last = n - from < 64 };
        const unsigned bytes = b.last ? (unsigned)(n - from) : 64;
        if (b.last) {
            memset(copy, 0, sizeof copy);
            memcpy(copy, b.p, bytes);
            b.p = copy;
        }
        const uint64_t past_ascii = classify(&b, family);
        b.lead = b.all = before_count(bytes);
        b.count = bytes;
        if (past_ascii) add_past_ascii(&b, r, family, past_ascii);
        b.other &= b.all;
        b.sign &= b.all;
        b.ascii &= b.all;
        uint64_t cuts = 0, next = 0;
        unsigned limit = b.count;
        if (!b.last) {
            /* A cut depends on the next two characters, in white space on all of that. */
            if (b.count < 4) limit = 0;
            else if (b.space >> (b.count - 1)) limit = 64 - (unsigned)_lzcnt_u64(~b.space & b.all);
            if (limit > b.count - 3) limit = b.count - 3;
        }
        if (limit) {
            switch (family) {
            case LM_SCAN_GPT2: cuts = gpt2_cuts(r, &b); break;
            case LM_SCAN_WORDS: cuts = words_cuts(r, &b); break;
            case LM_SCAN_CASED: cuts = cased_cuts(r, &b, &limit); break;
            case LM_SCAN_DEEPSEEK: cuts = deepseek_cuts(r, &b, &limit); break;
            }
            if (b.last) cuts |= UINT64_C(1) << b.count;
            const uint64_t certain = before_count(limit + 1) & ~UINT64_C(1);
            cuts &= certain;
            next = cuts;
            if (!b.last && (past_ascii || !cuts)) next |= inner_letters(family, &b) & certain;
        }
        if (!next) {
            const size_t end = lm_part_end(r, text, n, from);
            if (!end) return count ? (ptrdiff_t)count : LM_EDATA;
            ends[count++] = (uint32_t)end;
            from = end;
            continue;
        }
        if (past_ascii) {
            /* The bit after the last character is that of the byte after it. */
            const uint64_t lead = b.last ? b.lead | UINT64_C(1) << bytes : b.lead;
            cuts = _pdep_u64(cuts, lead);
            next = _pdep_u64(next, lead);
        }
        count += write_ends(ends + count, cuts, (uint32_t)from);
        from += 63 - _lzcnt_u64(next);
    }
    return (ptrdiff_t)count;
}

AVX2 ptrdiff_t lm_parts_avx2(const lm_rules *r, const unsigned char *text, size_t n, size_t from,
                             uint32_t *ends, size_t max)
{
    switch (r->family) {
    case LM_SCAN_GPT2: return parts(r, LM_SCAN_GPT2, text, n, from, ends, max);
    case LM_SCAN_WORDS: return parts(r, LM_SCAN_WORDS, text, n, from, ends, max);
    case LM_SCAN_CASED: return parts(r, LM_SCAN_CASED, text, n, from, ends, max);
    case LM_SCAN_DEEPSEEK: break;
    }
    return parts(r, LM_SCAN_DEEPSEEK, text, n, from, ends, max);
}

#else

bool lm_parts_have_avx2(void) { return false; }

ptrdiff_t lm_parts_avx2(const lm_rules *r, const unsigned char *text, size_t n, size_t from,
                        uint32_t *ends, size_t max)
{
    return lm_parts_scalar(r, text, n, from, ends, max);
}

#endif
