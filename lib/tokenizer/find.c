/* find.c -- added tokens in a text, by the rules of the Hugging Face tokenizers library. */
#include <string.h>

#include "lib/base/text.h"
#include "lib/tokenizer/internal.h"
#include "lib/tokenizer/unicode/unicode.h"

/* ---- characters -------------------------------------------------------------------------- */

/* \w of Unicode's regular expressions: Alphabetic, marks, decimal numbers, connectors, joiners. */
static bool is_word(uint32_t c)
{
    const char *category = lm_unicode_category(c);
    if (strchr("LM", *category) || !strcmp(category, "Nd") || !strcmp(category, "Nl")) return true;
    if (!strcmp(category, "Pc") || c == 0x200c || c == 0x200d) return true;
    return (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149) ||
           (c >= 0x1f150 && c <= 0x1f169) || (c >= 0x1f170 && c <= 0x1f189);
}

/* The size of the last character of n > 0 bytes; 0 where they are not UTF-8. */
static size_t last_character(const unsigned char *text, size_t n, uint32_t *c)
{
    size_t size = 1;
    while (size < 4 && size < n && (text[n - size] & 0xc0) == 0x80) size++;
    return lm_utf8_decode(text + n - size, size, c) == size ? size : 0;
}

bool lm_ends_with_word(const unsigned char *text, size_t n)
{
    uint32_t c;
    return n && last_character(text, n, &c) && is_word(c);
}

static bool begins_with_word(const unsigned char *text, size_t n)
{
    uint32_t c;
    return n && lm_utf8_decode(text, n, &c) && is_word(c);
}

static bool is_space(uint32_t c) { return lm_unicode_sets(c) & LM_U_SPACE; }

/* The bytes of white space at the end, and at the beginning. */
static size_t spaces_before(const unsigned char *text, size_t n)
{
    size_t left = n, size;
    uint32_t c;
    while (left && (size = last_character(text, left, &c)) && is_space(c)) left -= size;
    return n - left;
}

static size_t spaces_after(const unsigned char *text, size_t n)
{
    size_t at = 0, size;
    uint32_t c;
    while (at < n && (size = lm_utf8_decode(text + at, n - at, &c)) && is_space(c)) at += size;
    return at;
}

/* ---- finding ----------------------------------------------------------------------------- */

/* The first byte from `at` on that a token begins with; `limit` where there is none. */
static size_t next_first(const lm_added_set *s, const unsigned char *text, size_t at, size_t limit)
{
    if (s->one_first) {
        const unsigned char *p = memchr(text + at, s->only_first, limit - at);
        return p ? (size_t)(p - text) : limit;
    }
    while (at < limit && s->from[text[at]] == s->from[text[at] + 1]) at++;
    return at;
}

/* The longest token that n bytes begin with, or NULL: the tokens that agree so far are a range,
 * which each byte makes smaller. */
static const lm_added *longest(const lm_added_set *s, const unsigned char *text, size_t n)
{
    size_t low = s->from[*text], high = s->from[*text + 1];
    const lm_added *best = NULL;
    for (size_t depth = 1; low < high; depth++) {
        const lm_added *first = s->by_text[low];
        if (first->size == depth) {
            best = first;
            while (low < high && s->by_text[low]->size == depth) low++;
        }
        if (depth == n) break;
        size_t a = low, b = high;
        while (a < b) {
            size_t middle = a + (b - a) / 2;
            if ((unsigned char)s->by_text[middle]->text[depth] < text[depth]) a = middle + 1;
            else b = middle;
        }
        low = a;
        b = high;
        while (a < b) {
            size_t middle = a + (b - a) / 2;
            if ((unsigned char)s->by_text[middle]->text[depth] <= text[depth]) a = middle + 1;
            else b = middle;
        }
        high = a;
    }
    return best;
}

bool lm_find(const lm_added_set *s, bool parse, bool after_word, const unsigned char *text,
             size_t n, size_t from, size_t limit, lm_found *out)
{
    for (size_t at = from; at < limit && (at = next_first(s, text, at, limit)) < limit;) {
        const lm_added *a = longest(s, text + at, n - at);
        if (!a) {
            at++;
            continue;
        }
        size_t start = at, stop = at + a->size;
        at = stop;
        if (a->special && !parse) continue;
        if (a->single_word && ((start ? lm_ends_with_word(text, start) : after_word) ||
                               begins_with_word(text + stop, n - stop)))
            continue;
        if (a->lstrip) start -= spaces_before(text + from, start - from);
        if (a->rstrip) stop += spaces_after(text + stop, n - stop);
        *out = (lm_found){ start, stop, a->id };
        return true;
    }
    return false;
}
