#include "check.h"
#include "lib/tokenizer/pattern/pattern.h"
#include "lib/tokenizer/unicode/unicode.h"
#include "longmix/buf.h"
#include "pattern_cases.h"

static const char *const names[] = { "gpt2",    "digits+gpt2", "cl100k", "llama3",  "qwen2",
                                     "qwen3.5", "o200k",       "tekken", "deepseek" };
enum { NAMES = sizeof names / sizeof *names, WAYS = 3 };

/* With SIMD, without, and by PCRE2: they must agree. */
typedef struct ways {
    lm_pattern *pattern[WAYS];
    lm_cutter *cutter[WAYS];
} ways;

static ways open_ways(const lm_step *steps, size_t count)
{
    static const unsigned flags[WAYS] = { 0, LM_PATTERN_SCALAR, LM_PATTERN_PCRE2 };
    ways w = { 0 };
    for (int i = 0; i < WAYS; i++) {
        NEED(lm_pattern_new(&w.pattern[i], steps, count, flags[i]) == 0);
        NEED(lm_cutter_new(&w.cutter[i], w.pattern[i]) == 0);
    }
    return w;
}

static ways open_named(const char *name)
{
    size_t count = 0;
    const lm_step *steps = lm_pattern_named(name, &count);
    NEED(steps);
    ways w = open_ways(steps, count);
    CHECK_STR(lm_pattern_scanner(w.pattern[0]), name);
    CHECK_STR(lm_pattern_scanner(w.pattern[1]), name);
    CHECK(!lm_pattern_scanner(w.pattern[2]));
    CHECK(lm_pattern_restarts(w.pattern[0]));
    return w;
}

static void close_ways(ways *w)
{
    for (int i = 0; i < WAYS; i++) {
        lm_cutter_free(w->cutter[i]);
        lm_pattern_free(w->pattern[i]);
    }
}

enum { MAX_TEXT = 1 << 12, ROOM = MAX_TEXT + 8192 };

/* All ends of a text, at most `max` per call. Their number or the error; *valid is the number before
 * it. */
static ptrdiff_t cut_all(lm_cutter *c, const unsigned char *text, size_t n, size_t max,
                         uint32_t *ends, size_t *valid)
{
    size_t from = 0;
    *valid = 0;
    while (from < n) {
        ptrdiff_t got = lm_pattern_cut(c, text, n, from, ends + *valid, max);
        if (got < 0) return got;
        if (!got || (size_t)got > max) return LM_EUSAGE;
        for (ptrdiff_t i = 0; i < got; i++) {
            const size_t end = ends[(*valid)++] & ~LM_CUT_SKIP;
            if (end <= from || end > n) return LM_EUSAGE;
            from = end;
        }
    }
    if (lm_pattern_cut(c, text, n, n, ends + *valid, max)) return LM_EUSAGE;
    return (ptrdiff_t)*valid;
}

/* Cut in each way. The text is copied to where no byte after it may be read. Where it is not valid UTF-8,
 * `ends_at` is where that is, and no part may reach past it. */
static bool agree(ways *w, const void *from, size_t n, size_t max, size_t ends_at)
{
    static uint32_t ends[WAYS][ROOM];
    unsigned char *text = malloc(n ? n : 1);
    ptrdiff_t got[WAYS];
    size_t valid[WAYS];
    bool same = true;
    NEED(text);
    memcpy(text, from, n);
    for (int i = 0; i < WAYS; i++) {
        got[i] = cut_all(w->cutter[i], text, n, max, ends[i], &valid[i]);
        same = same && got[i] == got[0];
        if (got[0] >= 0) same = same && !memcmp(ends[i], ends[0], 4 * (size_t)got[0]);
        if (got[0] < 0 && valid[i]) same = same && ends[i][valid[i] - 1] <= ends_at;
    }
    same = same && (ends_at < n ? got[0] == LM_EDATA : got[0] >= 0);
    if (!same) {
        fprintf(stderr, "%zu bytes:", n);
        for (size_t i = 0; i < n; i++) fprintf(stderr, " %02x", text[i]);
        for (int k = 0; k < WAYS; k++) {
            fprintf(stderr, "\n  %td:", got[k]);
            for (size_t i = 0; i < valid[k]; i++) fprintf(stderr, " %u", (unsigned)ends[k][i]);
        }
        fprintf(stderr, "\n");
    }
    free(text);
    return same;
}

static bool agree_on(ways *w, const void *text, size_t n) { return agree(w, text, n, ROOM / 2, n); }

/* ---- known texts ---- */

/* The parts of `text` by each way are those of `parts`, which has | between them. */
static void has_parts(ways *w, const char *parts)
{
    char text[512];
    uint32_t want[512], ends[ROOM];
    size_t n = 0, count = 0, valid;
    for (const char *p = parts; *p; p++) {
        if (*p == '|') want[count++] = (uint32_t)n;
        else text[n++] = *p;
    }
    want[count++] = (uint32_t)n;
    for (int i = 0; i < WAYS; i++) {
        ptrdiff_t got = cut_all(w->cutter[i], (unsigned char *)text, n, ROOM / 2, ends, &valid);
        const bool same = (size_t)got == count && !memcmp(want, ends, 4 * count);
        if (!same) fprintf(stderr, "  way %d: %s\n", i, parts);
        CHECK(same);
    }
}

static void known_texts(void)
{
    for (size_t k = 0; k < NAMES; k++) {
        ways w = open_named(names[k]);
        size_t found = 0;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            const size_t n = strlen(names[k]);
            for (const char *p = cases[i].names; (p = strstr(p, names[k])); p += n) {
                if ((p > cases[i].names && p[-1] != ' ') || (p[n] && p[n] != ' ')) continue;
                has_parts(&w, cases[i].parts);
                found++;
            }
        }
        CHECK(found >= 30 || !strcmp(names[k], "cl100k"));
        if (!strcmp(names[k], "cl100k")) {
            has_parts(&w, "it|'s| a| |123|4|  \n \n");
            has_parts(&w, "a|\n\n| | b| \n|c|!\r\n|  ");
            has_parts(&w, "a|\u00a0b|\u3000\n ");
        }
        close_ways(&w);
    }
}

/* ---- random texts ---- */

static uint64_t seed = 7;

static unsigned chance(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (unsigned)((seed >> 33) % n);
}

static const char *const alphabet[] = {
    "a",
    "s",
    "t",
    "d",
    "m",
    "e",
    "l",
    "re",
    "ve",
    "ll",
    "Z",
    "S",
    "T",
    "RE",
    "Ll",
    "\u017f",
    "K",
    "'",
    "'",
    "'",
    "'s",
    "'S",
    "'\u017f",
    "'ll",
    "''",
    " ",
    " ",
    " ",
    " ",
    "  ",
    "   ",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\t",
    "\v",
    "\f",
    " \n",
    "/",
    "//",
    "/\n",
    "\1",
    "\x1b",
    "\x1c",
    "\x1f",
    "\x7f",
    "\u00a0",
    "\u00ad",
    "\u1680",
    "\u180e",
    "\u2003",
    "\u200b",
    "\u200d",
    "\u2028",
    "\u3000",
    "\ufeff",
    "\ue000",
    "\u0378",
    "0",
    "1",
    "9",
    "12",
    "1234",
    "\u0661",
    "\u2167",
    "\u00bd",
    "\u3007",
    "\U0001d7d8",
    "\U00011de0",
    "\U00016ff4",
    "!",
    "\"",
    "#",
    "-",
    ".",
    "...",
    "(",
    ")",
    "<",
    "=",
    "_",
    "~",
    "\u00e9",
    "\u00c9",
    "\u00df",
    "\u01c5",
    "\u02b0",
    "\u00aa",
    "\u0410",
    "\u0430",
    "\u05d0",
    "\u0627",
    "\u0915",
    "\u0301",
    "\u0308",
    "\u093e",
    "\u094d",
    "\u0e01",
    "\u0e33",
    "\u0e48",
    "\u20e3",
    "\ufe0f",
    "\U000e0100",
    "\u4e2d",
    "\u6587",
    "\u9fa5",
    "\u9fa6",
    "\u3400",
    "\u3042",
    "\u3040",
    "\u3099",
    "\u309b",
    "\u30a2",
    "\u30fb",
    "\u30ff",
    "\u3100",
    "\uac00",
    "\uff21",
    "\uff41",
    "\uff11",
    "\u3001",
    "\u3002",
    "\U00020000",
    "\U0001f600",
    "\U0001f469\u200d\U0001f680",
    "\u2764\ufe0f",
    "\u20ac",
    "\u2014",
    "\u201c",
    "\u2019",
    "\ua7dc",
    "\u1c89",
    "\u1c8a",
    "\u0295",
    "\302\205",
    "\303\227",
    "\303\267",
};
enum { GLYPHS = sizeof alphabet / sizeof *alphabet, ASCII_GLYPHS = 46 };

/* A text of at most MAX_TEXT - 64 bytes; its length. */
static size_t random_text(char *out)
{
    const unsigned kind = chance(4), wanted = 1 + chance(kind ? 90 : 300);
    const char *some[4];
    size_t n = 0;
    for (int i = 0; i < 4; i++) some[i] = alphabet[chance(GLYPHS)];
    for (unsigned k = 0; k < wanted && n < MAX_TEXT - 2048; k++) {
        const char *s = alphabet[chance(kind == 1 || chance(8) == 0 ? GLYPHS : ASCII_GLYPHS)];
        unsigned repeat = 1;
        if (kind == 2) { /* runs */
            s = some[chance(4)];
            repeat = 1 + (chance(6) ? chance(3) : chance(70));
        }
        if (kind == 3 && chance(2)) s = "\0"; /* NUL: one byte, below */
        for (; repeat && n < MAX_TEXT - 2048; repeat--) {
            const size_t size = *s ? strlen(s) : 1;
            memcpy(out + n, s, size);
            n += size;
        }
    }
    return n;
}

static void random_texts(void)
{
    char text[MAX_TEXT];
    for (size_t k = 0; k < NAMES; k++) {
        ways w = open_named(names[k]);
        for (int i = 0; i < 1500; i++) {
            size_t n = random_text(text);
            bool fine = agree(&w, text, n, i % 3 ? ROOM / 2 : 64 + chance(20), n);
            CHECK(fine);
            if (!fine) break;
        }
        close_ways(&w);
    }
}

/* Every place of a block: a text after 0 to 140 letters, spaces or signs, and its ends at each byte that
 * is the first of a character. */
static void every_place(void)
{
    static const char *const fills[] = { "a", " ", "!", "1", "\u4e2d", "\n", "A" };
    static const char end[] =
        "it's  a\u0301\n \n1234!!\u4e2dAb'LL\u00a0x/\n/!b\u2028 \u30a2\u30fb ";
    char text[MAX_TEXT];
    for (size_t k = 0; k < NAMES; k++) {
        ways w = open_named(names[k]);
        bool fine = true;
        for (size_t f = 0; f < sizeof fills / sizeof *fills; f++) {
            for (size_t fill = 0, n = 0; fill < 140; fill++) {
                memcpy(text + n, end, sizeof end);
                fine = fine && agree_on(&w, text, n + sizeof end - 1);
                memcpy(text + n, fills[f], strlen(fills[f]));
                n += strlen(fills[f]);
                fine = fine && agree_on(&w, text, n);
            }
        }
        for (size_t n = 0; n < sizeof end; n++)
            if ((end[n] & 0xc0) != 0x80) fine = fine && agree_on(&w, end, n);
        CHECK(fine);
        close_ways(&w);
    }
}

/* A byte or two that are not UTF-8, at every place of two blocks. */
static void invalid_bytes(void)
{
    static const char *const wrong[] = { "\x80",
                                         "\xbf",
                                         "\xc0\x80",
                                         "\xc1\xbf",
                                         "\xc3",
                                         "\xe0\x80\x80",
                                         "\xe4\xb8",
                                         "\xed\xa0\x80",
                                         "\xf0\x80\x80\x80",
                                         "\xf0\x9f\x98",
                                         "\xf4\x90\x80\x80",
                                         "\xf5\x80\x80\x80",
                                         "\xf8",
                                         "\xff",
                                         "\xc3\xe9",
                                         "\xe4\xb8\xe4\xb8\xad" };
    static const char *const around[] = { "a", "ab ", "\u4e2d", "\u0430 ", " ", "1", "\U0001f600" };
    char text[MAX_TEXT];
    for (size_t k = 0; k < NAMES; k++) {
        ways w = open_named(names[k]);
        bool fine = true;
        for (size_t a = 0; a < sizeof around / sizeof *around; a++) {
            const size_t size = strlen(around[a]);
            for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                for (size_t at = 0; at < 132; at += size) {
                    size_t n = 0;
                    while (n < at) n += size, memcpy(text + n - size, around[a], size);
                    strcpy(text + n, wrong[i]);
                    size_t end = n + strlen(wrong[i]);
                    fine = fine && agree(&w, text, end, 64, n);
                    for (int more = 0; more < 70; more++)
                        strcpy(text + end, around[a]), end += size;
                    fine = fine && agree(&w, text, end, ROOM / 2, n);
                }
            }
        }
        CHECK(fine);
        close_ways(&w);
    }
}

/* Long runs take linear time in the scanners, and end where they should. */
static void long_runs(void)
{
    static const char *const units[] = {
        "a", " ",   "1",       "!",       "\n", "\u4e2d",       "\u0301", "\x01",
        "A", "\n ", "a\u4e2d", "\u4e2dA", "' ", "\u30a2\u30fb", "!\n/"
    };
    const size_t size = 1 << 18;
    unsigned char *text = malloc(size);
    uint32_t *ends = malloc((size + 64) * sizeof *ends);
    NEED(text && ends);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        const size_t unit = strlen(units[u]);
        size_t n = 0, valid[2];
        while (n + unit < size) n += unit, memcpy(text + n - unit, units[u], unit);
        text[n++] = 'x';
        for (size_t k = 0; k < NAMES; k++) {
            ways w = open_named(names[k]);
            uint32_t last[2];
            for (int i = 0; i < 2; i++) {
                CHECK(cut_all(w.cutter[i], text, n, size, ends, &valid[i]) > 0);
                last[i] = valid[i] > 1 ? ends[valid[i] - 2] : 0;
            }
            CHECK_EQ(valid[0], valid[1]);
            CHECK_EQ(last[0], last[1]);
            close_ways(&w);
        }
    }
    free(text);
    free(ends);
}

/* ---- which steps have a scanner ---- */

static const char *scanner_of(const lm_step *steps, size_t count)
{
    lm_pattern *p = NULL;
    NEED(lm_pattern_new(&p, steps, count, 0) == 0);
    const char *name = lm_pattern_scanner(p);
    lm_pattern_free(p);
    return name ? name : "";
}

static void recognition(void)
{
    size_t count = 0;
    const char *qwen = lm_pattern_named("qwen2", &count)->text;
    lm_step steps[4] = { { LM_STEP_REGEX, qwen } };
    char other[512];
    CHECK_EQ(count, 1);
    CHECK_STR(scanner_of(steps, 1), "qwen2");
    steps[0].text = other;
    snprintf(other, sizeof other, "%s|x", qwen); /* one character more, and one less */
    CHECK_STR(scanner_of(steps, 1), "");
    snprintf(other, sizeof other, "%.*s", (int)strlen(qwen) - 1, qwen);
    CHECK_STR(scanner_of(steps, 1), "");
    /* Line ends may be in an expression as they are. */
    steps[0].text = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
                    "?[^\\s\\p{L}\\p{N}]+[\r\n]*|"
                    "\\s*[\r\n]+|\\s+(?!\\S)|\\s+";
    CHECK_STR(scanner_of(steps, 1), "qwen2");
    /* Where "$" is the end of a line, this is another expression. */
    steps[0] = *lm_pattern_named("cl100k", &count);
    CHECK_STR(scanner_of(steps, 1), "cl100k");
    steps[0].kind = LM_STEP_REGEX;
    lm_pattern *p = NULL;
    CHECK_EQ(lm_pattern_new(&p, steps, 1, 0), LM_EDATA); /* {1,3}+ */
    CHECK(strstr(lm_err(), "braces"));
    steps[0].text =
        "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s";
    CHECK_STR(scanner_of(steps, 1), "");
    steps[0].kind = LM_STEP_MATCH;
    CHECK_STR(scanner_of(steps, 1), "gpt2");
    /* Lists */
    steps[1] = *lm_pattern_named("gpt2", &count);
    steps[0] = (lm_step){ LM_STEP_DIGITS, NULL };
    CHECK_STR(scanner_of(steps, 2), "digits+gpt2");
    steps[2] = steps[0];
    CHECK_STR(scanner_of(steps, 3), "");
    memcpy(steps, lm_pattern_named("deepseek", &count), 3 * sizeof *steps);
    CHECK_EQ(count, 3);
    CHECK_STR(scanner_of(steps, 3), "deepseek");
    CHECK_STR(scanner_of(steps, 2), "");
    steps[1].kind = LM_STEP_MATCH;
    CHECK_STR(scanner_of(steps, 3), "");
    CHECK(!lm_pattern_named("gpt3", &count));
}

/* ---- other expressions ---- */

/* The parts of a text by steps, | between them, ~ before those that are skipped. */
static void steps_give(const lm_step *steps, size_t count, const char *text, const char *want)
{
    lm_pattern *p = NULL;
    lm_cutter *c = NULL;
    uint32_t ends[256];
    size_t valid;
    char got[512] = "", *out = got;
    NEED(lm_pattern_new(&p, steps, count, LM_PATTERN_PCRE2) == 0);
    NEED(lm_cutter_new(&c, p) == 0);
    ptrdiff_t n = cut_all(c, (const unsigned char *)text, strlen(text), 64, ends, &valid);
    for (ptrdiff_t i = 0, from = 0; i < n; i++) {
        const uint32_t end = ends[i] & ~LM_CUT_SKIP;
        out += sprintf(out, "%s%s%.*s", i ? "|" : "", ends[i] & LM_CUT_SKIP ? "~" : "",
                       (int)(end - from), text + from);
        from = end;
    }
    CHECK_STR(got, want);
    lm_cutter_free(c);
    lm_pattern_free(p);
}

static void one_gives(enum lm_step_kind kind, const char *expression, const char *text,
                      const char *want)
{
    const lm_step s = { kind, expression };
    steps_give(&s, 1, text, want);
}

static void expressions(void)
{
    one_gives(LM_STEP_REGEX, "b+", "abbcb", "a|bb|c|b");
    one_gives(LM_STEP_MATCH, "b+", "abbcb", "~a|bb|~c|b");
    one_gives(LM_STEP_STRING, ".", "a..b.", "a|.|.|b|.");
    one_gives(LM_STEP_STRING, "aa", "baaaab", "b|aa|aa|b");
    one_gives(LM_STEP_DIGITS, NULL, "ab12\u0663c", "ab|1|2|\u0663|c");
    one_gives(LM_STEP_REGEX, "x*", "axxb", "a|xx|b"); /* an empty match cuts */
    one_gives(LM_STEP_REGEX, "(?=b)", "abab", "a|ba|b");
    one_gives(LM_STEP_REGEX, "(?<=a)(?=b)", "abab", "a|ba|b");
    one_gives(LM_STEP_REGEX, "z", "abc", "abc");
    one_gives(LM_STEP_MATCH, "z", "abc", "~abc");
    one_gives(LM_STEP_REGEX, "", "ab", "a|b");
    one_gives(LM_STEP_REGEX, "^a|b$", "a\nab\nb", "a|\n|a|b|\n|b");
    one_gives(LM_STEP_MATCH, "^a|b$", "a\nab\nb", "a|~\nab\n|b");
    one_gives(LM_STEP_REGEX, "(?i:'s|k)", "'S'\u017f\u212aK", "'S|'\u017f|\u212a|K");
    one_gives(LM_STEP_REGEX, "[^\\s\\d]+", "a1\u180e\u0663", "a|1|\u180e|\u0663");
    one_gives(LM_STEP_REGEX, "[\\p{Lu}\\-x-z\\u4e2d\\x{41}]", "a-y\u4e2dA", "a|-|y|\u4e2d|A");
    one_gives(LM_STEP_REGEX, "\\p{L}{2}|\\P{L}", "ab\u1c89\u1c8ac1", "ab|\u1c89\u1c8a|c|1");
    one_gives(LM_STEP_REGEX, "a++|(?>b|bc)c|\\.", "aabcbcc.", "aa|bc|bc|c|.");
    const lm_step two[] = { { LM_STEP_REGEX, "[0-9]+" }, { LM_STEP_REGEX, "[a-c](?!\\S)" } };
    steps_give(two, 2, "aab1cc a2", "aa|b|1|c|c| |a|2"); /* a step sees only its piece */
    const lm_step three[] = { { LM_STEP_STRING, "--" },
                              { LM_STEP_MATCH, "[a-z]" },
                              { LM_STEP_DIGITS, NULL } };
    steps_give(three, 3, "a1--b", "a|~1|~--|b");

    static const struct {
        const char *text, *why;
    } refused[] = {
        { "\\w+", "\\w at byte 1" },
        { "a\\b", "\\b" },
        { "\\h", "\\h" },
        { "\\R", "\\R" },
        { "\\p{Han}", "general category" },
        { "\\pL", "braces" },
        { "[a&&b]", "&&" },
        { "[a[b]]", "class in a class" },
        { "[[:alpha:]]", "class in a class" },
        { "(?<n>a)", "group" },
        { "(a)\\1", "\\1" },
        { "(?m:a)", "group" },
        { "(*UCP)a", "(*" },
        { "a{2}+", "braces" },
        { "a{,2}", "brace" },
        { "(?i:ss)", "ligature" },
        { "(?i:\u00e9)", "past ASCII" },
        { "(?i:\\p{Lu})", "property" },
        { "[]a]", "begins with ]" },
        { "(a", "not closed" },
        { "a)", "closes nothing" },
        { "[a", "the end in a class" },
        { "[a-", "the end in a class" },
        { "[\\P{L}]", "\\P" },
        { "\\", "\\" },
        { "\\xff", "past ASCII" },
        { "\\x{110000}", "code point" },
        { "\\ud800", "code point" },
        { "*a", "PCRE2 at byte" },
        { "ab(?<=a*)", "PCRE2 at byte" },
        { "[b-a]", "PCRE2 at byte" },
        { "\xff", "UTF-8" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const lm_step s = { LM_STEP_REGEX, refused[i].text };
        lm_pattern *p = NULL;
        CHECK_EQ(lm_pattern_new(&p, &s, 1, 0), LM_EDATA);
        CHECK(!p);
        if (!strstr(lm_err(), refused[i].why))
            fprintf(stderr, "  %s: %s\n", refused[i].text, lm_err());
        CHECK(strstr(lm_err(), refused[i].why));
    }
    lm_pattern *p = NULL;
    const lm_step empty = { LM_STEP_STRING, "" };
    CHECK_EQ(lm_pattern_new(&p, &empty, 1, 0), LM_EDATA);
}

static size_t put(unsigned char *out, uint32_t c)
{
    const size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t k = n; k-- > 1; c >>= 6) out[k] = (unsigned char)(0x80 | (c & 63));
    out[0] = (unsigned char)((n == 1 ? 0 : n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c);
    return n;
}

/* Categories and white space by PCRE2 are those of the tables, for every code point. */
static void properties(void)
{
    static const struct {
        const char *text;
        unsigned sets;
    } known[] = { { "\\p{L}", LM_U_UPPER | LM_U_LOWER | LM_U_LETTER },
                  { "[\\p{Lu}\\p{Lt}]", LM_U_UPPER },
                  { "\\p{Ll}", LM_U_LOWER },
                  { "\\p{M}", LM_U_MARK },
                  { "\\p{N}", LM_U_NUMBER },
                  { "[\\p{P}\\p{S}]", LM_U_PUNCT | LM_U_SYMBOL },
                  { "\\s", LM_U_SPACE } };
    unsigned char *text = malloc(4 * 0x110000);
    uint32_t *ends = malloc(ROOM * sizeof *ends), part = 0;
    NEED(text && ends);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const lm_step s = { LM_STEP_MATCH, known[i].text };
        lm_pattern *p = NULL;
        lm_cutter *c = NULL;
        size_t n = 0, differ = 0, from = 0, done = 0;
        NEED(lm_pattern_new(&p, &s, 1, 0) == 0 && lm_cutter_new(&c, p) == 0);
        for (uint32_t at = 0; at < 0x110000; at++)
            if (at < 0xd800 || at > 0xdfff) n += put(text + n, at);
        for (uint32_t at = 0, got = 0; at < 0x110000; at++) {
            unsigned char b[4];
            if (at == 0xd800) at = 0xe000;
            if (from == done) {
                got = (uint32_t)lm_pattern_cut(c, text, n, from, ends, ROOM);
                NEED(got > 0 && got <= ROOM);
                done = ends[got - 1] & ~LM_CUT_SKIP;
                part = 0;
            }
            /* Each match is one character; those between are one part. */
            from += put(b, at);
            differ += !(ends[part] & LM_CUT_SKIP) != !!(lm_unicode_sets(at) & known[i].sets);
            if (from == (ends[part] & ~LM_CUT_SKIP)) part++;
        }
        CHECK_EQ(differ, 0);
        lm_cutter_free(c);
        lm_pattern_free(p);
    }
    free(text);
    free(ends);
}

/* Expressions that need too many steps or too much memory give up, and the cutter works after that. */
static void limits(void)
{
    const lm_step s = { LM_STEP_REGEX, "(?:a+)+b|(?:(?:ca|cb)c?)+d|c" };
    enum { N = 16 << 20 };
    lm_pattern *p = NULL;
    lm_cutter *c = NULL;
    unsigned char *text = malloc(N);
    uint32_t ends[64];
    NEED(text && lm_pattern_new(&p, &s, 1, 0) == 0 && lm_cutter_new(&c, p) == 0);
    CHECK(lm_pattern_restarts(p));
    memset(text, 'a', 3000);
    CHECK_EQ(lm_pattern_cut(c, text, 3000, 0, ends, 64), LM_EDATA);
    CHECK(strstr(lm_err(), "gives up at byte 0"));
    for (size_t i = 0; i < N; i++) text[i] = i % 2 ? 'a' : 'c';
    CHECK_EQ(lm_pattern_cut(c, text, N, 0, ends, 64), LM_EDATA);
    CHECK(strstr(lm_err(), "gives up at byte 0"));
    CHECK_EQ(lm_pattern_cut(c, (const unsigned char *)"aab", 3, 0, ends, 64), 1);
    lm_cutter_free(c);
    lm_pattern_free(p);
    free(text);
}

/* A cutter that was at another text finds its place again. */
static void places(void)
{
    static const lm_step steps[] = { { LM_STEP_REGEX, "b" }, { LM_STEP_DIGITS, NULL } };
    lm_pattern *p = NULL;
    lm_cutter *c = NULL;
    uint32_t ends[64];
    const unsigned char *text = (const unsigned char *)"abab1b",
                        *other = (const unsigned char *)"bb";
    NEED(lm_pattern_new(&p, steps, 2, 0) == 0 && lm_cutter_new(&c, p) == 0);
    CHECK(!lm_pattern_restarts(p));
    CHECK_EQ(lm_pattern_cut(c, text, 6, 2, ends, 64), 4);
    CHECK(ends[0] == 3 && ends[3] == 6);
    CHECK_EQ(lm_pattern_cut(c, other, 2, 0, ends, 64), 2);
    CHECK_EQ(lm_pattern_cut(c, text, 6, 4, ends, 64), 2);
    CHECK_EQ(lm_pattern_cut(c, text, 6, 6, ends, 64), 0);
    lm_cutter_free(c);
    lm_pattern_free(p);
    static const char *const behind[] = { "(?<=a)b", "(?<!a)b", "^a", "\\Aa" };
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        const lm_step s = { LM_STEP_REGEX, behind[i] };
        NEED(lm_pattern_new(&p, &s, 1, 0) == 0);
        CHECK(!lm_pattern_restarts(p));
        lm_pattern_free(p);
    }
}

int main(void)
{
    known_texts();
    random_texts();
    every_place();
    invalid_bytes();
    long_runs();
    recognition();
    expressions();
    properties();
    limits();
    places();
    CHECK_END();
}
