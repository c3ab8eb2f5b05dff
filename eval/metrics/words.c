/* words.c -- text as Python's str and re see it, as far as scorers look. */
#include "eval/metrics/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

/* The code point at s and its length; a byte that is no UTF-8 is -1 and one byte long. */
static size_t point(const char *s, int32_t *cp)
{
    const unsigned char *u = (const unsigned char *)s;
    const char *why;
    size_t len = lm_utf8_next(u, strnlen(s, 4), &why);
    if (len < 2) {
        *cp = len ? u[0] : -1;
        return 1;
    }
    *cp = u[0] & (0xff >> (len + 1));
    for (size_t i = 1; i < len; i++) *cp = *cp << 6 | (u[i] & 0x3f);
    return len;
}

static int put(lm_buf *b, int32_t cp)
{
    unsigned char u[4];
    size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; cp >>= 6) u[i] = (unsigned char)(0x80 | (cp & 0x3f));
    u[0] = (unsigned char)(n == 1 ? cp : (0xf00 >> n & 0xf0) | cp);
    return lm_buf_add(b, u, n);
}

/* Where capital and small letters alternate, the capital being even or odd. */
static const struct {
    int32_t from, to;
    int odd;
} PAIRS[] = { { 0x100, 0x137, 0 }, { 0x139, 0x148, 1 },   { 0x14a, 0x177, 0 },
              { 0x179, 0x17e, 1 }, { 0x460, 0x481, 0 },   { 0x48a, 0x4bf, 0 },
              { 0x4d0, 0x52f, 0 }, { 0x1e00, 0x1e95, 0 }, { 0x1ea0, 0x1eff, 0 } };
/* Where the small letters follow all capitals at a distance. */
static const struct {
    int32_t from, to, distance;
} SHIFTS[] = {
    { 0xc0, 0xd6, 32 },
    { 0xd8, 0xde, 32 },
    { 0x178, 0x178, -121 },
    { 0x386, 0x386, 38 },
    { 0x388, 0x38a, 37 },
    { 0x38c, 0x38c, 64 },
    { 0x38e, 0x38f, 63 },
    { 0x391, 0x3a1, 32 },
    { 0x3a3, 0x3ab, 32 },
    { 0x400, 0x40f, 80 },
    { 0x410, 0x42f, 32 },
    { 0x531, 0x556, 48 },
    { 0x212a, 0x212a, 'k' - 0x212a },
    { 0x212b, 0x212b, 0xe5 - 0x212b },
    { 0xff21, 0xff3a, 32 },
};

static int32_t small(int32_t cp)
{
    if (cp < 0x80) return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    for (size_t i = 0; i < sizeof SHIFTS / sizeof *SHIFTS; i++)
        if (cp >= SHIFTS[i].from && cp <= SHIFTS[i].to) return cp + SHIFTS[i].distance;
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++)
        if (cp >= PAIRS[i].from && cp <= PAIRS[i].to && cp != 0x130)
            return cp + ((cp & 1) == PAIRS[i].odd);
    return cp;
}

int eval_lower(lm_buf *out, const char *text)
{
    while (*text) {
        int32_t cp;
        size_t n = point(text, &cp);
        int rc = cp < 0        ? lm_buf_add(out, text, 1)
                 : cp == 0x130 ? lm_buf_add(out, "i\xcc\x87", 3) /* the one that becomes two */
                               : put(out, small(cp));
        if (rc) return rc;
        text += n;
    }
    return 0;
}

static bool is_blank(int32_t cp)
{
    return (cp >= 9 && cp <= 13) || (cp >= 0x1c && cp <= 0x20) || cp == 0x85 || cp == 0xa0 ||
           cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 ||
           cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

size_t eval_blank(const char *s)
{
    int32_t cp;
    size_t n = point(s, &cp);
    return is_blank(cp) ? n : 0;
}

static bool is_punctuation(int32_t cp)
{
    return (cp >= '!' && cp <= '/') || (cp >= ':' && cp <= '@') || (cp >= '[' && cp <= '`') ||
           (cp >= '{' && cp <= '~');
}

/* A character of a regular expression's \w. Past ASCII: all but the signs among which an article
 * can stand, which are dashes, quotes, symbols and combining marks. */
static bool in_word(int32_t cp)
{
    if (cp < 0x80)
        return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') ||
               cp == '_';
    if (cp < 0xc0)
        return cp == 0xaa || cp == 0xb2 || cp == 0xb3 || cp == 0xb5 ||
               (cp >= 0xb9 && cp != 0xbb && cp != 0xbf);
    return cp != 0xd7 && cp != 0xf7 && !(cp >= 0x300 && cp <= 0x36f) &&
           !(cp >= 0x2000 && cp <= 0x206f) && !(cp >= 0x20a0 && cp <= 0x20cf) &&
           !(cp >= 0x2190 && cp <= 0x245f) && !(cp >= 0x2500 && cp <= 0x2bff) &&
           !(cp >= 0x3000 && cp <= 0x3003) && !(cp >= 0x3008 && cp <= 0x3020);
}

/* The bytes of the article between two word boundaries at s, 0 for none. `inside`: the
 * character before belongs to a word. */
static size_t article(const char *s, bool inside)
{
    size_t n = 0;
    int32_t cp;
    if (inside) return 0;
    while (n < 4 && s[n] && point(s + n, &cp) == 1 && in_word(cp)) n++;
    if (s[n] && (point(s + n, &cp), in_word(cp))) return 0;
    return (n == 1 && s[0] == 'a') || (n == 2 && !memcmp(s, "an", 2)) ||
                   (n == 3 && !memcmp(s, "the", 3))
               ? n
               : 0;
}

/* What the way of cutting removes before it cuts: punctuation goes, an article becomes a blank. */
static int remove_signs(lm_buf *out, const char *text, bool articles)
{
    lm_buf bare = LM_BUF_INIT(EVAL_TEXT_MAX);
    int rc = lm_buf_reserve(&bare, 1);
    for (const char *s = text; *s && !rc; s++)
        if (!is_punctuation(*s)) rc = lm_buf_add(&bare, s, 1);
    if (!rc) rc = lm_buf_add(&bare, "", 1);
    bool inside = false;
    for (const char *s = (const char *)bare.data; !rc && *s;) {
        size_t n = articles ? article(s, inside) : 0;
        if (n) {
            rc = lm_buf_add(out, " ", 1);
            inside = false; /* what follows an article is no word's inside */
        } else {
            int32_t cp;
            n = point(s, &cp);
            inside = in_word(cp);
            rc = lm_buf_add(out, s, n);
        }
        s += n;
    }
    lm_buf_free(&bare);
    return rc;
}

static int add_word(eval_words *w, const char *s, size_t n)
{
    if (w->count == w->room) {
        size_t *more = lm_grow(w->start, &w->room, sizeof *more, SIZE_MAX);
        if (!more) return LM_ENOMEM;
        w->start = more;
    }
    w->start[w->count] = w->text.size;
    int rc = lm_buf_add(&w->text, s, n);
    if (!rc) rc = lm_buf_add(&w->text, "", 1);
    if (!rc) w->count++;
    return rc;
}

static int cut_at_blanks(eval_words *w, const char *s)
{
    while (*s) {
        size_t n = eval_blank(s);
        if (n) {
            s += n;
            continue;
        }
        const char *from = s;
        int32_t cp;
        while (*s && !eval_blank(s)) s += point(s, &cp);
        int rc = add_word(w, from, (size_t)(s - from));
        if (rc) return rc;
    }
    return 0;
}

static bool in_rouge(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

static int cut_rouge(eval_words *w, const char *s, bool stem)
{
    while (*s) {
        const char *from = s;
        while (in_rouge(*s)) s++;
        size_t n = (size_t)(s - from);
        if (n) {
            int rc = add_word(w, from, n);
            if (rc) return rc;
            if (stem && n > 3) {
                size_t at = w->start[w->count - 1];
                w->text.size = at + eval_stem((char *)w->text.data + at, n) + 1;
                w->text.data[w->text.size - 1] = 0;
            }
        }
        while (*s && !in_rouge(*s)) s++;
    }
    return 0;
}

int eval_words_cut(eval_words *w, const char *text, enum eval_split how)
{
    lm_buf lower = LM_BUF_INIT(EVAL_TEXT_MAX), bare = LM_BUF_INIT(EVAL_TEXT_MAX);
    *w = (eval_words){ .text = LM_BUF_INIT(EVAL_TEXT_MAX) };
    int rc =
        how == EVAL_SPLIT_CASED ? lm_buf_add(&lower, text, strlen(text)) : eval_lower(&lower, text);
    if (!rc) rc = lm_buf_add(&lower, "", 1);
    if (rc) goto out;
    const char *s = (const char *)lower.data;
    if (how == EVAL_SPLIT_ROUGE || how == EVAL_SPLIT_STEMMED) {
        rc = cut_rouge(w, s, how == EVAL_SPLIT_STEMMED);
    } else if (how == EVAL_SPLIT_PLAIN) {
        rc = cut_at_blanks(w, s);
    } else {
        rc = remove_signs(&bare, s, how != EVAL_SPLIT_STRIPPED);
        if (!rc) rc = lm_buf_add(&bare, "", 1);
        if (!rc) rc = cut_at_blanks(w, (const char *)bare.data);
    }
out:
    lm_buf_free(&lower);
    lm_buf_free(&bare);
    return rc;
}

void eval_words_free(eval_words *w)
{
    lm_buf_free(&w->text);
    free(w->start);
    *w = (eval_words){ .text = w->text };
}

struct numbered {
    const char *word;
    size_t place;
};

static int by_word(const void *a, const void *b)
{
    return strcmp(((const struct numbered *)a)->word, ((const struct numbered *)b)->word);
}

int eval_words_number(const eval_words *a, const eval_words *b, uint32_t **na, uint32_t **nb,
                      size_t *distinct)
{
    size_t n = a->count + b->count;
    struct numbered *all = malloc((n ? n : 1) * sizeof *all);
    *na = malloc((n ? n : 1) * sizeof **na);
    if (!all || !*na) {
        free(all);
        free(*na);
        *na = NULL;
        return lm_fail_nomem(n * (sizeof *all + sizeof **na));
    }
    for (size_t i = 0; i < n; i++)
        all[i] =
            (struct numbered){ i < a->count ? eval_word(a, i) : eval_word(b, i - a->count), i };
    qsort(all, n, sizeof *all, by_word);
    *distinct = 0;
    for (size_t i = 0; i < n; i++) {
        if (!i || strcmp(all[i].word, all[i - 1].word)) ++*distinct;
        (*na)[all[i].place] = (uint32_t)(*distinct - 1);
    }
    *nb = *na + a->count;
    free(all);
    return 0;
}
