/* nfc.c -- normalization form C (UAX #15).
 *
 * A character that passes the quick check and has combining class 0 neither changes nor combines with
 * what is before it. Text is therefore copied, except for segments: such a character with those after
 * it that are not. A segment is decomposed, sorted by combining class and composed. */
#include "lib/tokenizer/unicode/internal.h"

#include <string.h>

#include "lib/base/text.h"

/* Hangul syllables are composed by arithmetic (section 3.12 of the Unicode Standard). */
enum {
    HANGUL = 0xac00,
    HANGUL_L = 0x1100,
    HANGUL_V = 0x1161,
    HANGUL_T = 0x11a7,
    COUNT_L = 19,
    COUNT_V = 21,
    COUNT_T = 28,
    HANGUL_COUNT = COUNT_L * COUNT_V * COUNT_T,
};

static uint8_t class_of(uint32_t c)
{
    return lm_nfc_values[(size_t)lm_nfc_blocks[c >> 8] << 8 | (c & 255)];
}

static const lm_nfc_class *classes_of(enum lm_nfc form)
{
    return lm_nfc_classes[form == LM_NFC_16];
}

static bool begins_segment(const lm_nfc_class *classes, uint32_t c)
{
    const lm_nfc_class *k = &classes[class_of(c)];
    return !k->fails && !k->combining;
}

/* The first byte from i on that is past ASCII, or n. */
static size_t skip_ascii(const unsigned char *text, size_t i, size_t n)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t w[4];
    for (; n - i >= sizeof w; i += sizeof w) {
        memcpy(w, text + i, sizeof w);
        if ((w[0] | w[1] | w[2] | w[3]) & high) break;
    }
    for (; n - i >= 8; i += 8) {
        memcpy(w, text + i, 8);
        if (w[0] & high) break;
    }
    while (i < n && text[i] < 0x80) i++;
    return i;
}

bool lm_is_nfc(enum lm_nfc form, const unsigned char *text, size_t n)
{
    const lm_nfc_class *classes = classes_of(form);
    uint8_t last = 0; /* combining class of the character before */
    for (size_t i = 0; i < n;) {
        if (text[i] < 0x80) {
            i = skip_ascii(text, i, n);
            last = 0;
            continue;
        }
        uint32_t c;
        size_t size = lm_utf8_decode(text + i, n - i, &c);
        if (!size) return false;
        uint8_t k = class_of(c);
        if (k) {
            uint8_t ccc = classes[k].combining;
            if (classes[k].fails || (ccc && ccc < last)) return false;
            last = ccc;
        } else {
            last = 0;
        }
        i += size;
    }
    return true;
}

/* ---- a segment ---- */

typedef struct segment {
    const lm_nfc_class *classes;
    bool late;            /* characters that Unicode 9.0 lacks decompose and compose */
    lm_buf chars, sorted; /* uint32_t */
} segment;

static uint8_t combining(const segment *s, uint32_t c) { return s->classes[class_of(c)].combining; }

static size_t count(const segment *s) { return s->chars.size / sizeof(uint32_t); }

static int add(segment *s, uint32_t c) { return lm_buf_add(&s->chars, &c, sizeof c); }

static const lm_decomposition *decomposition_of(uint32_t c)
{
    size_t low = 0, high = lm_nfc_decompositions;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (lm_nfc_decomposition[mid].c == c) return &lm_nfc_decomposition[mid];
        if (lm_nfc_decomposition[mid].c < c) low = mid + 1;
        else high = mid;
    }
    return NULL;
}

static int decompose(segment *s, uint32_t c)
{
    if (c >= HANGUL && c < HANGUL + HANGUL_COUNT) {
        uint32_t i = c - HANGUL, t = i % COUNT_T;
        int rc = add(s, HANGUL_L + i / (COUNT_V * COUNT_T));
        if (!rc) rc = add(s, HANGUL_V + i / COUNT_T % COUNT_V);
        if (!rc && t) rc = add(s, HANGUL_T + t);
        return rc;
    }
    const lm_decomposition *d = decomposition_of(c);
    if (!d || (d->late && !s->late)) return add(s, c);
    return lm_buf_add(&s->chars, lm_nfc_decomposed + d->at, d->count * sizeof(uint32_t));
}

/* Sort the characters between those of class 0 by class; equal ones keep their order. Counted, as a
 * hostile text may have any number of them. */
static int sort_marks(segment *s)
{
    uint32_t *c = (uint32_t *)s->chars.data;
    const size_t n = count(s);
    for (size_t i = 0, end; i < n; i = end) {
        bool in_order = true;
        uint8_t last = 0;
        for (end = i; end < n; end++) {
            uint8_t ccc = combining(s, c[end]);
            if (!ccc) break;
            in_order &= ccc >= last;
            last = ccc;
        }
        if (!in_order) {
            size_t at[257] = { 0 };
            s->sorted.size = 0;
            int rc = lm_buf_reserve(&s->sorted, (end - i) * sizeof *c);
            if (rc) return rc;
            uint32_t *out = (uint32_t *)s->sorted.data;
            for (size_t k = i; k < end; k++) at[combining(s, c[k]) + 1]++;
            for (size_t k = 1; k < 257; k++) at[k] += at[k - 1];
            for (size_t k = i; k < end; k++) out[at[combining(s, c[k])]++] = c[k];
            memcpy(c + i, out, (end - i) * sizeof *c);
        }
        if (end < n && end == i) end++;
    }
    return 0;
}

/* What two characters compose to, or 0. */
static uint32_t compose_pair(const segment *s, uint32_t a, uint32_t b)
{
    if (a >= HANGUL_L && a < HANGUL_L + COUNT_L && b >= HANGUL_V && b < HANGUL_V + COUNT_V)
        return HANGUL + ((a - HANGUL_L) * COUNT_V + (b - HANGUL_V)) * COUNT_T;
    if (a >= HANGUL && a < HANGUL + HANGUL_COUNT && (a - HANGUL) % COUNT_T == 0 && b > HANGUL_T &&
        b < HANGUL_T + COUNT_T)
        return a + (b - HANGUL_T);
    size_t low = 0, high = lm_nfc_compositions;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const lm_composition *p = &lm_nfc_composition[mid];
        if (p->first == a && p->second == b) return p->late && !s->late ? 0 : p->composed;
        if (p->first < a || (p->first == a && p->second < b)) low = mid + 1;
        else high = mid;
    }
    return 0;
}

/* A character composes with the last one of class 0 before it, unless one that stays between them
 * has class 0 or a class that is not smaller. */
static void compose(segment *s)
{
    uint32_t *c = (uint32_t *)s->chars.data;
    const size_t n = count(s);
    size_t starter = SIZE_MAX, out = 0;
    uint8_t last = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t ccc = combining(s, c[i]);
        const bool blocked = out != starter + 1 && (!ccc || last >= ccc);
        uint32_t composed = starter != SIZE_MAX && !blocked ? compose_pair(s, c[starter], c[i]) : 0;
        if (composed) {
            c[starter] = composed;
            continue;
        }
        if (!ccc) starter = out;
        last = ccc;
        c[out++] = c[i];
    }
    s->chars.size = out * sizeof *c;
}

static int put(lm_buf *out, uint32_t c)
{
    unsigned char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = n; i-- > 1; c >>= 6) b[i] = (unsigned char)(0x80 | (c & 63));
    b[0] = (unsigned char)(lead[n] | c);
    return lm_buf_add(out, b, n);
}

static int finish(segment *s, lm_buf *out)
{
    int rc = sort_marks(s);
    if (rc) return rc;
    compose(s);
    for (size_t i = 0; i < count(s) && !rc; i++) rc = put(out, ((uint32_t *)s->chars.data)[i]);
    s->chars.size = 0;
    return rc;
}

/* The next character; a byte that is not UTF-8, which the caller excludes, is taken as Latin-1. */
static size_t next(const unsigned char *text, size_t n, uint32_t *c)
{
    size_t size = lm_utf8_decode(text, n, c);
    if (size) return size;
    *c = text[0];
    return 1;
}

int lm_to_nfc(enum lm_nfc form, const unsigned char *text, size_t n, lm_buf *out)
{
    const size_t most = 4 * sizeof(uint32_t) * n + 64; /* a character has at most four in form D */
    segment s = { classes_of(form), form == LM_NFC_16, LM_BUF_INIT(most), LM_BUF_INIT(most) };
    size_t begin = 0;  /* where the last character that may begin a segment is */
    size_t copied = 0; /* text before it is in `out` */
    int rc = 0;
    for (size_t i = 0; i < n && !rc;) {
        uint32_t c;
        size_t size = next(text + i, n - i, &c);
        if (begins_segment(s.classes, c)) {
            begin = i;
            i += size;
            continue;
        }
        rc = lm_buf_add(out, text + copied, begin - copied);
        for (size_t k = begin; k < i && !rc; k += size) {
            size = next(text + k, n - k, &c);
            rc = decompose(&s, c);
        }
        while (i < n && !rc) {
            size = next(text + i, n - i, &c);
            if (begins_segment(s.classes, c)) break;
            rc = decompose(&s, c);
            i += size;
        }
        if (!rc) rc = finish(&s, out);
        begin = copied = i;
    }
    if (!rc) rc = lm_buf_add(out, text + copied, n - copied);
    lm_buf_free(&s.chars);
    lm_buf_free(&s.sorted);
    return rc;
}
