/* stem.c -- Porter's stemmer as NLTK has it: a word loses its endings in five steps. */
#include <stdbool.h>
#include <string.h>

#include "eval/metrics/words.h"

/* The word. A condition is about the part before an ending. */
struct stem {
    char *w;
    size_t n;
};

/* Is w[i] a consonant? A y is one at the start and after a vowel. */
static bool consonant(const char *w, size_t i)
{
    size_t y = i;
    while (y > 0 && w[y] == 'y') y--;
    bool first = w[y] == 'y' ? true : !strchr("aeiou", w[y]);
    return (i - y) % 2 ? !first : first;
}

/* Porter's m of the first n letters: how often a consonant follows a vowel. */
static size_t measure(const char *w, size_t n)
{
    size_t m = 0;
    bool before = true;
    for (size_t i = 0; i < n; i++) {
        bool now = w[i] == 'y' ? i == 0 || !before : !strchr("aeiou", w[i]);
        m += now && !before;
        before = now;
    }
    return m;
}

static bool has_vowel(const char *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!consonant(w, i)) return true;
    return false;
}

/* *o: consonant, vowel, consonant other than w, x, y; NLTK: or a word of vowel and consonant. */
static bool short_end(const char *w, size_t n)
{
    if (n == 2) return !consonant(w, 0) && consonant(w, 1);
    return n >= 3 && consonant(w, n - 3) && !consonant(w, n - 2) && consonant(w, n - 1) &&
           !strchr("wxy", w[n - 1]);
}

/* The length of the part before `end`, or -1 where the word has another end. */
static long before(const struct stem *s, const char *end)
{
    size_t e = strlen(end);
    return s->n >= e && !memcmp(s->w + s->n - e, end, e) ? (long)(s->n - e) : -1;
}

/* Put `end` after the first n letters. No ending grows a word past its room: see eval_stem. */
static void put(struct stem *s, size_t n, const char *end)
{
    size_t e = strlen(end);
    memcpy(s->w + n, end, e);
    s->n = n + e;
}

struct rule {
    const char *from, *to;
};

/* The first rule whose ending the word has is the only one that is looked at. */
static void apply(struct stem *s, const struct rule *rules, size_t least)
{
    for (; rules->from; rules++) {
        long n = before(s, rules->from);
        if (n < 0) continue;
        if (measure(s->w, (size_t)n) > least) put(s, (size_t)n, rules->to);
        return;
    }
}

/* Plurals. */
static void step1a(struct stem *s)
{
    if (before(s, "ies") >= 0) put(s, s->n - 3, s->n == 4 ? "ie" : "i");
    else if (before(s, "sses") >= 0) s->n -= 2;
    else if (before(s, "ss") < 0 && before(s, "s") >= 0) s->n--;
}

/* -ed and -ing, and the repair of what they leave. */
static void step1b(struct stem *s)
{
    long n;
    if (before(s, "ied") >= 0) {
        put(s, s->n - 3, s->n == 4 ? "ie" : "i");
        return;
    }
    if ((n = before(s, "eed")) >= 0) {
        if (measure(s->w, (size_t)n) > 0) s->n--;
        return;
    }
    if ((n = before(s, "ed")) < 0) n = before(s, "ing");
    if (n < 0 || !has_vowel(s->w, (size_t)n)) return;
    s->n = (size_t)n;
    if (before(s, "at") >= 0 || before(s, "bl") >= 0 || before(s, "iz") >= 0) {
        put(s, s->n, "e");
    } else if (s->n >= 2 && s->w[s->n - 1] == s->w[s->n - 2] && consonant(s->w, s->n - 1)) {
        if (!strchr("lsz", s->w[s->n - 1])) s->n--;
    } else if (measure(s->w, s->n) == 1 && short_end(s->w, s->n)) {
        put(s, s->n, "e");
    }
}

/* NLTK: y after a consonant, unless that is the whole word. */
static void step1c(struct stem *s)
{
    if (before(s, "y") > 1 && consonant(s->w, s->n - 2)) put(s, s->n - 1, "i");
}

static void step2(struct stem *s)
{
    static const struct rule RULES[] = {
        { "ational", "ate" }, { "tional", "tion" }, { "enci", "ence" },   { "anci", "ance" },
        { "izer", "ize" },    { "bli", "ble" },     { "alli", "al" },     { "entli", "ent" },
        { "eli", "e" },       { "ousli", "ous" },   { "ization", "ize" }, { "ation", "ate" },
        { "ator", "ate" },    { "alism", "al" },    { "iveness", "ive" }, { "fulness", "ful" },
        { "ousness", "ous" }, { "aliti", "al" },    { "iviti", "ive" },   { "biliti", "ble" },
        { "fulli", "ful" },   { NULL, NULL }
    };
    long n = before(s, "alli");
    if (n >= 0 && measure(s->w, (size_t)n) > 0) put(s, (size_t)n, "al"); /* NLTK: and continue */
    n = before(s, "logi");
    if (n >= 0) { /* NLTK: the l counts with the stem */
        if (measure(s->w, (size_t)n + 1) > 0) s->n--;
        return;
    }
    apply(s, RULES, 0);
}

static void step3(struct stem *s)
{
    static const struct rule RULES[] = { { "icate", "ic" }, { "ative", "" },  { "alize", "al" },
                                         { "iciti", "ic" }, { "ical", "ic" }, { "ful", "" },
                                         { "ness", "" },    { NULL, NULL } };
    apply(s, RULES, 0);
}

static void step4(struct stem *s)
{
    static const struct rule RULES[] = {
        { "al", "" },   { "ance", "" }, { "ence", "" }, { "er", "" },    { "ic", "" },
        { "able", "" }, { "ible", "" }, { "ant", "" },  { "ement", "" }, { "ment", "" },
        { "ent", "" },  { "ou", "" },   { "ism", "" },  { "ate", "" },   { "iti", "" },
        { "ous", "" },  { "ive", "" },  { "ize", "" },  { NULL, NULL }
    };
    long n = before(s, "ion");
    if (n < 0) apply(s, RULES, 1);
    else if (measure(s->w, (size_t)n) > 1 && strchr("st", s->w[n - 1])) s->n = (size_t)n;
}

static void step5(struct stem *s)
{
    long n = before(s, "e");
    if (n >= 0) {
        size_t m = measure(s->w, (size_t)n);
        if (m > 1 || (m == 1 && !short_end(s->w, (size_t)n))) s->n--;
    }
    if (before(s, "ll") >= 0 && measure(s->w, s->n - 1) > 1) s->n--;
}

/* NLTK's list of words that the rules would spoil. */
static bool irregular(struct stem *s)
{
    static const char *const WORDS[][2] = { { "sky", "sky" },          { "skies", "sky" },
                                            { "dying", "die" },        { "lying", "lie" },
                                            { "tying", "tie" },        { "news", "news" },
                                            { "innings", "inning" },   { "inning", "inning" },
                                            { "outings", "outing" },   { "outing", "outing" },
                                            { "cannings", "canning" }, { "canning", "canning" },
                                            { "howe", "howe" },        { "proceed", "proceed" },
                                            { "exceed", "exceed" },    { "succeed", "succeed" } };
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strlen(WORDS[i][0]) == s->n && !memcmp(WORDS[i][0], s->w, s->n)) {
            put(s, 0, WORDS[i][1]);
            return true;
        }
    return false;
}

size_t eval_stem(char *w, size_t n)
{
    struct stem s = { w, n };
    if (irregular(&s) || n <= 2) return s.n;
    step1a(&s);
    step1b(&s);
    step1c(&s);
    step2(&s);
    step3(&s);
    step4(&s);
    step5(&s);
    return s.n;
}
