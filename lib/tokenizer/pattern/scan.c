/* scan.c -- the scanners of known steps, one part at a time: the reference for avx2.c.
 *
 * Each function follows the alternatives of its expression in their order. All of them are linear: what
 * a part looks ahead over belongs to it or, but for one character, to the next one. */
#include "lib/tokenizer/pattern/internal.h"

#include "lib/base/text.h"
#include "lib/tokenizer/unicode/unicode.h"

enum { LETTERS = LM_U_UPPER | LM_U_LOWER | LM_U_LETTER, SIGNS = LM_U_PUNCT | LM_U_SYMBOL };

typedef struct scan {
    const lm_rules *rules;
    const unsigned char *text;
    size_t n;
    bool digits_end; /* an earlier step ends the text before a number, */
    bool cjk_ends;   /* and where this changes: */
    bool cjk;
    bool invalid; /* bytes that are not UTF-8 were met */
} scan;

typedef struct glyph {
    uint32_t c;
    uint8_t sets;
    uint8_t size; /* in bytes; 0: the end of the text, as this step sees it */
} glyph;

static inline glyph read(scan *s, size_t i)
{
    glyph g = { 0 };
    if (i == s->n) return g;
    if (s->text[i] < 0x80) return (glyph){ s->text[i], lm_unicode_sets(s->text[i]), 1 };
    g.size = (uint8_t)lm_utf8_decode(s->text + i, s->n - i, &g.c);
    if (g.size) g.sets = lm_unicode_sets(g.c);
    else s->invalid = true;
    return g;
}

static inline glyph at(scan *s, size_t i)
{
    glyph g = read(s, i), end = { 0 };
    if (!g.size) return g;
    if (s->digits_end && lm_unicode_is_digit(g.c)) return end;
    if (s->cjk_ends && (g.sets & LM_U_NUMBER || lm_is_cjk(g.c) != s->cjk)) return end;
    return g;
}

static bool is_newline(glyph g) { return g.c == '\n' || g.c == '\r'; }

/* The end of the run of characters from i on of which `(sets & mask) != 0` is `in`. The mask has no
 * numbers where these end a text. */
static inline size_t run(scan *s, size_t i, unsigned mask, bool in)
{
    for (;;) {
        glyph g;
        while (i < s->n && s->text[i] < 0x80 && !s->cjk &&
               !(lm_unicode_sets(s->text[i]) & mask) != in)
            i++;
        g = at(s, i);
        if (!g.size || !(g.sets & mask) == in) return i;
        i += g.size;
    }
}

static size_t run_of(scan *s, size_t i, unsigned sets) { return run(s, i, sets, true); }

static size_t run_without(scan *s, size_t i, unsigned sets) { return run(s, i, sets, false); }

/* [\r\n]* or [\r\n/]* */
static size_t tail_of(scan *s, size_t i, bool slash)
{
    for (glyph g; (g = at(s, i)).size && (is_newline(g) || (slash && g.c == '/'));) i += g.size;
    return i;
}

static size_t numbers_of(scan *s, size_t i, unsigned most)
{
    for (unsigned k = 0; k < most; k++) {
        glyph g = read(s, i);
        if (!g.size || !(g.sets & LM_U_NUMBER)) break;
        i += g.size;
    }
    return i;
}

static bool same_letter(uint32_t c, char lower, bool any_case)
{
    if (c == (uint32_t)lower) return true;
    return any_case && (c == (uint32_t)lower - 32 || (lower == 's' && c == 0x17f));
}

/* The end of 's, 't, 're, 've, 'm, 'll or 'd at i, or 0. */
static size_t contraction(scan *s, size_t i, bool any_case)
{
    if (i == s->n || s->text[i] != '\'') return 0;
    glyph a = at(s, i + 1);
    if (!a.size) return 0;
    for (const char *one = "stmd"; *one; one++)
        if (same_letter(a.c, *one, any_case)) return i + 1 + a.size;
    for (const char *two = "revell"; *two; two += 2) {
        if (!same_letter(a.c, two[0], any_case)) continue;
        glyph b = at(s, i + 1 + a.size);
        if (b.size && same_letter(b.c, two[1], any_case)) return i + 1 + a.size + b.size;
    }
    return 0;
}

/* White space at i: with `lines`, \s*[\r\n]+ first; then \s+(?!\S) and \s+. */
static size_t space_end(scan *s, size_t i, bool lines)
{
    size_t last = i, after_line = 0, end = i;
    glyph g;
    while ((g = at(s, end)).size && g.sets & LM_U_SPACE) {
        last = end;
        end += g.size;
        if (is_newline(g)) after_line = end;
    }
    if (!g.size && s->rules->end_whole) return end;
    if (lines && after_line) return after_line;
    return !g.size || last == i ? end : last;
}

static size_t gpt2_end(scan *s, size_t i, glyph first)
{
    if (s->rules->digits && lm_unicode_is_digit(first.c)) return i + first.size;
    size_t end = contraction(s, i, false);
    if (end) return end;
    glyph g = first;
    size_t begin = i;
    if (first.c == ' ') {
        g = at(s, i + 1);
        begin++;
    }
    if (!g.size || g.sets & LM_U_SPACE) return space_end(s, i, false);
    if (g.sets & LETTERS) return run_of(s, begin, LETTERS);
    if (g.sets & LM_U_NUMBER) return run_of(s, begin, LM_U_NUMBER);
    return run_without(s, begin, LM_U_SPACE | LETTERS | LM_U_NUMBER);
}

/* " ?" and one or more that are no letter, number or space, then the ends of lines; 0: none. */
static size_t others_end(scan *s, size_t i, glyph first, unsigned not_other, bool slash)
{
    glyph g = first;
    if (first.c == ' ') g = at(s, ++i);
    if (!g.size || g.sets & not_other) return 0;
    return tail_of(s, run_without(s, i, not_other), slash);
}

static size_t words_end(scan *s, size_t i, glyph first)
{
    const unsigned letters = LETTERS | (s->rules->marks ? LM_U_MARK : 0);
    size_t end = contraction(s, i, true);
    if (end) return end;
    if (first.sets & letters) return run_of(s, i, letters);
    if (first.sets & LM_U_NUMBER) return numbers_of(s, i, s->rules->numbers);
    if (!is_newline(first)) {
        end = run_of(s, i + first.size, letters);
        if (end > i + first.size) return end;
    }
    end = others_end(s, i, first, LM_U_SPACE | letters | LM_U_NUMBER, false);
    return end ? end : space_end(s, i, true);
}

/* A word from i on: capitals, then small letters; letters without case and marks are both. Without small
 * letters it ends after the last that is both. 0: none. */
static size_t cased_word(scan *s, size_t i)
{
    const unsigned both = LM_U_LETTER | LM_U_MARK;
    size_t end = i, last_both = 0;
    glyph g;
    while ((g = at(s, end)).size && g.sets & (LM_U_UPPER | both)) {
        end += g.size;
        if (g.sets & both) last_both = end;
    }
    if (g.size && g.sets & LM_U_LOWER) return run_of(s, end, LM_U_LOWER | both);
    if (last_both) return last_both;
    return end > i ? end : 0;
}

static size_t cased_end(scan *s, size_t i, glyph first)
{
    const size_t second = i + first.size;
    size_t end = 0;
    if (first.sets & LM_U_NUMBER) return numbers_of(s, i, s->rules->numbers);
    if (first.sets & LETTERS) {
        end = cased_word(s, i);
    } else if (first.sets & LM_U_MARK) {
        /* A mark may be the character before a word, or in it. The former is tried first, but only
         * with a word that has more than capitals. */
        glyph g;
        bool capitals = true;
        size_t k = second;
        while (capitals && (g = at(s, k)).size && g.sets & (LETTERS | LM_U_MARK)) {
            capitals = g.sets & LM_U_UPPER;
            k += g.size;
        }
        end = capitals ? second : cased_word(s, second);
    } else if (!is_newline(first)) {
        end = cased_word(s, second);
    }
    if (end) {
        size_t more = s->rules->contractions ? contraction(s, end, true) : 0;
        return more ? more : end;
    }
    end = others_end(s, i, first, LM_U_SPACE | LETTERS | LM_U_NUMBER, true);
    return end ? end : space_end(s, i, true);
}

static bool is_ascii_letter(uint32_t c) { return (c | 32) - 'a' < 26; }

/* What no alternative matches: up to a character that one does. */
static size_t unmatched_end(scan *s, size_t i)
{
    const unsigned words = LETTERS | LM_U_MARK;
    glyph g = at(s, i), after;
    for (; g.size && !(g.sets & (words | SIGNS | LM_U_SPACE)); g = after) {
        after = at(s, i + g.size);
        if (after.size && after.sets & words) break;
        i += g.size;
    }
    return i;
}

static size_t deepseek_end(scan *s, size_t i, glyph first)
{
    const unsigned words = LETTERS | LM_U_MARK;
    if (first.sets & LM_U_NUMBER) return numbers_of(s, i, 3);
    s->cjk = lm_is_cjk(first.c);
    if (first.c < 0x80 && first.sets & SIGNS) {
        glyph g;
        size_t end = i + 1;
        while ((g = at(s, end)).size && is_ascii_letter(g.c)) end++;
        if (end > i + 1) return end;
    }
    if (first.sets & words) return run_of(s, i, words);
    if (!is_newline(first) && !(first.sets & SIGNS)) {
        size_t end = run_of(s, i + first.size, words);
        if (end > i + first.size) return end;
    }
    size_t begin = i + (first.c == ' '), end = run_of(s, begin, SIGNS);
    if (end > begin) return tail_of(s, end, false);
    if (first.sets & LM_U_SPACE) return space_end(s, i, true);
    return unmatched_end(s, i);
}

size_t lm_part_end(const lm_rules *r, const unsigned char *text, size_t n, size_t i)
{
    scan s = { .rules = r, .text = text, .n = n };
    glyph first = read(&s, i);
    size_t end = 0;
    if (!first.size) return 0;
    s.digits_end = r->digits;
    s.cjk_ends = r->family == LM_SCAN_DEEPSEEK;
    switch (r->family) {
    case LM_SCAN_GPT2: end = gpt2_end(&s, i, first); break;
    case LM_SCAN_WORDS: end = words_end(&s, i, first); break;
    case LM_SCAN_CASED: end = cased_end(&s, i, first); break;
    case LM_SCAN_DEEPSEEK: end = deepseek_end(&s, i, first); break;
    }
    return s.invalid ? 0 : end;
}

ptrdiff_t lm_parts_scalar(const lm_rules *r, const unsigned char *text, size_t n, size_t from,
                          uint32_t *ends, size_t max)
{
    size_t count = 0;
    for (; count < max && from < n; count++) {
        from = lm_part_end(r, text, n, from);
        if (!from) return count ? (ptrdiff_t)count : LM_EDATA;
        ends[count] = (uint32_t)from;
    }
    return (ptrdiff_t)count;
}
