/* text.c -- the text generator. Each word is one table lookup, and a 64-bit random number selects
 * four of them, so text is generated faster than zstd compresses it. */
#include <string.h>

#include "lib/base/rng.h"
#include "lib/synth/internal.h"

typedef struct generator {
    const synth_lexicon *l;
    const synth_bank *language; /* of sentences */
    uint64_t state;             /* SplitMix64 */
} generator;

static inline uint64_t next(generator *g)
{
    return lm_mix64(g->state += UINT64_C(0x9e3779b97f4a7c15));
}

static inline char *put(char *p, const synth_entry *e)
{
    memcpy(p, e, sizeof *e); /* the size byte is copied, too, and overwritten */
    return p + e->size;
}

static inline char *put_from(char *p, const synth_bank *b, uint64_t r)
{
    return put(p, &b->entry[b->pick[(r & 0xffff) >> b->shift]]);
}

static char *put_str(char *p, const char *s)
{
    size_t n = strlen(s);
    memcpy(p, s, n);
    return p + n;
}

static char *put_number(char *p, uint64_t v)
{
    char digits[20];
    size_t n = 0;
    do digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n) *p++ = digits[--n];
    return p;
}

static void capital(char *p)
{
    if (*p >= 'a' && *p <= 'z') *p = (char)(*p - 32);
}

/* Numbers of 1 to 5 digits, mostly small. */
static char *number(generator *g, char *p)
{
    static const uint32_t below[8] = { 10, 10, 30, 100, 100, 1000, 10000, 100000 };
    uint64_t r = next(g);
    return put_number(p, (r >> 8) % below[r & 7]);
}

static char *made_up(generator *g, char *p)
{
    uint64_t r = next(g);
    unsigned n = 2 + (unsigned)(r >> 62);
    for (unsigned k = 0; k < n; k++, r >>= 10) p = put_from(p, &g->l->bank[SYNTH_SYLLABLE], r << 6);
    return p;
}

static char *name(generator *g, char *p)
{
    uint64_t r = next(g);
    if (r >> 62) return put_from(p, &g->l->bank[SYNTH_NAME], r);
    char *start = p;
    p = made_up(g, p);
    capital(start);
    return p;
}

static char *address(generator *g, char *p)
{
    p = put_str(p, "https://www.");
    p = made_up(g, p);
    p = put_str(p, next(g) & 1 ? ".com/" : ".org/wiki/");
    p = made_up(g, p);
    *p++ = '-';
    return put_number(p, next(g) & 0xffff);
}

/* A word outside the bank, usually one that occurs nowhere else. */
static char *rare(generator *g, char *p)
{
    const synth_bank *b = g->l->bank;
    uint64_t r = next(g);
    switch (r >> 60) {
    case 0: p = name(g, p); break;
    case 1:
    case 2: p = put_from(p, &b[SYNTH_NAME], r); break;
    case 3:
    case 4:
    case 5: p = made_up(g, p); break;
    case 6: p = number(g, p); break;
    case 7: p = put_number(p, 1900 + (r & 0xffff) % 130); break;
    case 8: p = (r & 0x1f00) ? put_number(p, r & 0xff) : address(g, p); break;
    case 9:
        if (r & 0x700) return p;
        p = put_from(p, &b[SYNTH_EMOJI], r >> 16);
        break;
    default:
        p = put_from(p, &b[SYNTH_PREFIX], r);
        p = put_from(p, &b[SYNTH_ROOT], r >> 16);
        p = put_from(p, &b[SYNTH_SUFFIX], r >> 32);
    }
    *p++ = ' ';
    return p;
}

static char *words(generator *g, char *p, unsigned n)
{
    const synth_bank *b = g->language;
    while (n) {
        uint64_t r = next(g);
        for (unsigned k = 0; k < 4 && n; k++, n--, r >>= 16) {
            unsigned i = b->pick[(r & 0xffff) >> b->shift];
            p = i == SYNTH_RARE ? rare(g, p) : put(p, &b->entry[i]);
        }
    }
    return p;
}

/* Words without the space after the last one. */
static char *few(generator *g, char *p, unsigned n)
{
    char *start = p;
    p = words(g, p, n);
    return p > start && p[-1] == ' ' ? p - 1 : p;
}

static char *title(generator *g, char *p)
{
    char *start = p;
    p = few(g, p, 2 + (unsigned)(next(g) >> 62));
    for (char *c = start; c < p; c++)
        if (c == start || c[-1] == ' ') capital(c);
    return p;
}

/* One sentence, with its full stop and without a space after it. */
static char *sentence(generator *g, char *p)
{
    const synth_bank *b = g->language;
    uint64_t r = next(g);
    char *start = p;
    unsigned clauses = 1 + (unsigned)((0x2110211010100100 >> (4 * (r & 15))) & 15);
    for (unsigned c = 1;; c++) {
        r >>= 4;
        p = few(g, p, 3 + (unsigned)(r & 7));
        if (c == clauses) break;
        p = put_str(p, b->comma);
    }
    capital(start);
    if (b->spaced && (r & 0xf000) == 0) {
        *p++ = r & 0x10000 ? '?' : '!';
        return p;
    }
    p = put_str(p, b->stop);
    return b->spaced ? p - 1 : p;
}

static char *paragraph(generator *g, char *p)
{
    unsigned n = 2 + (unsigned)(next(g) >> 61);
    for (unsigned i = 0; i < n; i++) {
        if (i && g->language->spaced) *p++ = ' ';
        p = sentence(g, p);
    }
    return p;
}

static char *foreign(generator *g, char *p)
{
    const synth_bank *was = g->language;
    g->language =
        &g->l->bank[SYNTH_FOREIGN + (next(g) >> 8) % (SYNTH_FOREIGN_LAST - SYNTH_FOREIGN + 1)];
    p = sentence(g, p);
    g->language = was;
    return p;
}

/* Write one template at p. */
static char *fill(generator *g, char *p, const char *t)
{
    for (; *t; t++) {
        if (*t != '@') {
            *p++ = *t;
            continue;
        }
        switch (*++t) {
        case 's': p = sentence(g, p); break;
        case 'p': p = paragraph(g, p); break;
        case 'w': p = few(g, p, 1); break;
        case 'k': p = few(g, p, 3 + (unsigned)(next(g) >> 62)); break;
        case 'T': p = title(g, p); break;
        case 'N': p = name(g, p); break;
        case 'i': p = put_from(p, &g->l->bank[SYNTH_IDENTIFIER], next(g)); break;
        case 'm': p = put_from(p, &g->l->bank[SYNTH_MATHS], next(g)); break;
        case 'd': p = number(g, p); break;
        case 'y': p = put_number(p, 1850 + next(g) % 174); break;
        case 'u': p = address(g, p); break;
        case 'e': p = put_from(p, &g->l->bank[SYNTH_EMOJI], next(g)); break;
        case 'f': p = foreign(g, p); break;
        }
    }
    return p;
}

size_t synth_text(const synth_lexicon *l, enum synth_style style, uint64_t seed, char *out,
                  size_t size)
{
    const synth_style_text *t = &synth_styles[style];
    generator g = { .l = l, .language = &l->bank[SYNTH_ENGLISH], .state = lm_mix64(seed) };
    /* A few whole documents are in another language, as in any crawl. */
    bool abroad = style == SYNTH_PROSE || style == SYNTH_WIKI;
    uint64_t r = next(&g);
    if (abroad && r % 40 == 0)
        g.language = &l->bank[SYNTH_FOREIGN + (r >> 32) % (SYNTH_FOREIGN_LAST - SYNTH_FOREIGN + 1)];
    char *p = fill(&g, out, t->opening), *end = out + size;
    while (p < end) p = fill(&g, p, t->line[(next(&g) >> 32) % t->lines]);
    *p = 0;                                                           /* read below, past the end */
    while (size && ((unsigned char)out[size] & 0xc0) == 0x80) size--; /* not inside a character */
    return size;
}
