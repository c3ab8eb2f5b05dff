/* translate.c -- an expression as Oniguruma (with Ruby's syntax, LM_STEP_REGEX) or the regex crate of Rust
 * (LM_STEP_MATCH) reads it, in the syntax of PCRE2.
 *
 * Only what means the same in both is let through; the rest is refused by name. Properties are
 * replaced, as PCRE2 may have another version of Unicode, and \s, which PCRE2 gives U+180E as well. */
#include "lib/tokenizer/pattern/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/tokenizer/unicode/unicode.h"

#define MAX_EXPRESSION ((size_t)1 << 16)
#define MAX_PROPERTIES 40
#define MAX_DEPTH 250 /* of groups, as in PCRE2 */

#define WHITE_SPACE                                                                             \
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}" \
    "\\x{205f}\\x{3000}"
#define NOT_WHITE_SPACE                                                                        \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{" \
    "1fff}"                                                                                    \
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-"   \
    "\\x{10ffff}"

typedef struct parser {
    lm_translation *t;
    const char *all, *p; /* the expression, and what is next in it */
    enum lm_step_kind kind;
    lm_newer *newer;
    bool any_case; /* inside of (?i: ) */
    bool outer_case[MAX_DEPTH];
    size_t depth;
    struct property {
        char category[3];
        int rc;        /* of newer */
        lm_buf ranges; /* from it */
    } seen[MAX_PROPERTIES];
    size_t properties;
    char last; /* of two letters in a row, in lower case, under (?i: ); 0: none */
} parser;

static int refuse(const parser *x, const char *what)
{
    return lm_fail(LM_EDATA,
                   "the expression '%.100s' cannot be translated for PCRE2: %s at byte %zu", x->all,
                   what, (size_t)(x->p - x->all));
}

static int put(parser *x, const char *s, size_t n)
{
    const uint32_t at = (uint32_t)(x->p - x->all);
    int rc = lm_buf_add(&x->t->text, s, n);
    for (size_t i = 0; i < n && !rc; i++) rc = lm_buf_add(&x->t->from, &at, sizeof at);
    return rc;
}

static int put_string(parser *x, const char *s) { return put(x, s, strlen(s)); }

static int put_code(parser *x, uint32_t c)
{
    char s[16];
    snprintf(s, sizeof s, "\\x{%x}", (unsigned)c);
    return put_string(x, s);
}

/* ---- properties ---- */

bool lm_in_category(uint32_t c, const char *category)
{
    const char *own = lm_unicode_category(c);
    return own[0] == category[0] && (!category[1] || own[1] == category[1]);
}

/* All of a category as ranges. */
static int put_category(parser *x, const char *category)
{
    int rc = 0;
    for (uint32_t c = 0, end; c < 0x110000 && !rc; c = end) {
        const bool in = lm_in_category(c, category);
        for (end = c + 1; end < 0x110000 && lm_in_category(end, category) == in;) end++;
        if (!in) continue;
        rc = put_code(x, c);
        if (!rc) rc = put_string(x, "-");
        if (!rc) rc = put_code(x, end - 1);
    }
    return rc;
}

/* What PCRE2 lacks of a category: found once. */
static const struct property *property_of(parser *x, const char *category)
{
    for (size_t i = 0; i < x->properties; i++)
        if (!strcmp(x->seen[i].category, category)) return &x->seen[i];
    struct property *p = &x->seen[x->properties++]; /* there are fewer categories */
    *p = (struct property){ .ranges = LM_BUF_INIT((size_t)1 << 22) };
    memcpy(p->category, category, strlen(category) + 1);
    p->rc = x->newer(category, &p->ranges);
    return p;
}

/* A category, inside of a class. */
static int put_property(parser *x, const char *category)
{
    const struct property *known = property_of(x, category);
    if (known->rc < 0) return known->rc;
    if (known->rc == 1) return put_category(x, category);
    const uint32_t *r = (const uint32_t *)known->ranges.data;
    int rc = put_string(x, "\\p{");
    if (!rc) rc = put_string(x, category);
    if (!rc) rc = put_string(x, "}");
    for (size_t i = 0; i < known->ranges.size / sizeof *r && !rc; i += 2) {
        rc = put_code(x, r[i]);
        if (!rc) rc = put_string(x, "-");
        if (!rc) rc = put_code(x, r[i + 1]);
    }
    return rc;
}

/* The name after \p, into name. */
static int read_category(parser *x, char name[3])
{
    static const char known[][3] = { "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc",
                                     "Me", "N",  "Nd", "Nl", "No", "P",  "Pc", "Pd", "Ps",
                                     "Pe", "Pi", "Pf", "Po", "S",  "Sm", "Sc", "Sk", "So",
                                     "Z",  "Zs", "Zl", "Zp", "Cc", "Cf", "Cn", "Co" };
    if (*x->p != '{') return refuse(x, "a property without braces");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i]);
        if (strncmp(x->p + 1, known[i], n) || x->p[1 + n] != '}') continue;
        x->p += n + 2;
        memcpy(name, known[i], 3);
        return LM_OK;
    }
    return refuse(x, "a property that is not a general category (as \\p{L} and \\p{Lu} are)");
}

/* ---- characters ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f') return (c | 32) - 'a' + 10;
    return -1;
}

/* Hexadecimal digits: `least` to `most` of them. */
static int read_hex(parser *x, size_t least, size_t most, uint32_t *c)
{
    size_t k = 0;
    for (*c = 0; k < most && hex_value(*x->p) >= 0; k++)
        *c = *c << 4 | (uint32_t)hex_value(*x->p++);
    if (k < least || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
        return refuse(x, "an escape without a valid code point");
    return LM_OK;
}

/* The character of an escape, x->p being after the backslash. 1; 0 if it is no character. */
static int read_escape(parser *x, uint32_t *c)
{
    static const char letters[] = "rntfva", codes[] = "\r\n\t\f\v\a";
    const char e = *x->p;
    const char *known = e ? strchr(letters, e) : NULL;
    int rc = 0;
    if (known) {
        *c = (uint32_t)codes[known - letters];
        x->p++;
        return 1;
    }
    if (e == 'u') {
        x->p++;
        rc = read_hex(x, 4, 4, c);
        return rc ? rc : 1;
    }
    if (e == 'x') {
        x->p++;
        const bool braces = *x->p == '{';
        x->p += braces;
        rc = read_hex(x, braces ? 1 : 2, braces ? 6 : 2, c);
        if (!rc && braces && *x->p++ != '}') rc = refuse(x, "an escape without its brace");
        if (!rc && !braces && *c > 0x7f) rc = refuse(x, "an escape of a byte past ASCII");
        return rc ? rc : 1;
    }
    if ((unsigned char)e < 0x80 && e > ' ' && !strchr("<>", e) &&
        !((e | 32) >= 'a' && (e | 32) <= 'z') && !(e >= '0' && e <= '9')) {
        *c = (uint32_t)e;
        x->p++;
        return 1;
    }
    return 0;
}

static int refuse_escape(parser *x)
{
    char what[32];
    snprintf(what, sizeof what, "\\%.1s", (unsigned char)*x->p < 0x80 ? x->p : "?");
    return refuse(x, what);
}

/* A character of the expression as it is. */
static int read_plain(parser *x, uint32_t *c)
{
    size_t size = lm_utf8_decode((const unsigned char *)x->p, strlen(x->p), c);
    if (!size) return refuse(x, "invalid UTF-8");
    x->p += size;
    return LM_OK;
}

/* Oniguruma lets "ss" match U+00DF under (?i: ), and other pairs their ligatures. */
static int check_folding(parser *x, uint32_t c)
{
    static const char pairs[] = "ss st ff fi fl";
    if (!x->any_case) return LM_OK;
    if (c >= 0x80) return refuse(x, "(?i:) with a character past ASCII");
    const bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
    const char now = letter ? (char)(c | 32) : 0, pair[3] = { x->last, now, 0 };
    if (x->kind == LM_STEP_REGEX && x->last && now && strstr(pairs, pair))
        return refuse(x, "(?i:) with letters that have a ligature");
    x->last = now;
    return LM_OK;
}

static int put_character(parser *x, uint32_t c)
{
    int rc = check_folding(x, c);
    return rc ? rc : put_code(x, c);
}

/* ---- classes ---- */

/* An item: a character in *c, or a set, which is written. 1 for a character, 0 for a set. */
static int read_item(parser *x, uint32_t *c)
{
    char name[3];
    int rc;
    if (!*x->p) return refuse(x, "the end in a class");
    if (*x->p == '[') return refuse(x, "a class in a class");
    if (!strncmp(x->p, "&&", 2) || !strncmp(x->p, "--", 2) || !strncmp(x->p, "~~", 2))
        return refuse(x, "an operation of sets (&&, --, ~~)");
    if (*x->p != '\\') {
        rc = read_plain(x, c);
        return rc ? rc : 1;
    }
    x->p++;
    rc = read_escape(x, c);
    if (rc) return rc;
    if (x->any_case) return refuse(x, "(?i:) with a class of a property");
    switch (*x->p++) {
    case 'p': rc = read_category(x, name); return rc ? rc : put_property(x, name);
    case 's': return put_string(x, WHITE_SPACE);
    case 'S': return put_string(x, NOT_WHITE_SPACE);
    case 'd': return put_property(x, "Nd");
    }
    x->p--;
    return refuse_escape(x);
}

/* x->p is after the bracket. */
static int read_class(parser *x)
{
    int rc = put_string(x, "[");
    x->last = 0;
    if (!rc && *x->p == '^') {
        if (x->any_case) return refuse(x, "(?i:) with a negated class");
        x->p++;
        rc = put_string(x, "^");
    }
    if (!rc && *x->p == ']') return refuse(x, "a class that begins with ]");
    while (!rc && *x->p != ']') {
        uint32_t first, last;
        const bool begins = x->p[-1] == '[' || x->p[-1] == '^';
        const bool hyphen = *x->p == '-';
        int one = read_item(x, &first);
        if (one < 0) return one;
        if (hyphen && !begins && *x->p != ']') return refuse(x, "a hyphen that is not of a range");
        if (one && x->any_case && first >= 0x80)
            return refuse(x, "(?i:) with a character past ASCII");
        if (one) rc = put_code(x, first);
        if (rc || *x->p != '-' || x->p[1] == ']') continue;
        if (!one || x->any_case) return refuse(x, "a range of sets, or under (?i:)");
        if (x->p[1] == '-') return refuse(x, "an operation of sets (&&, --, ~~)");
        x->p++;
        one = read_item(x, &last);
        if (one < 0) return one;
        if (!one) return refuse(x, "a range of sets");
        rc = put_string(x, "-");
        if (!rc) rc = put_code(x, last);
    }
    if (rc) return rc;
    x->p++;
    return put_string(x, "]");
}

/* ---- the rest ---- */

static int in_class(parser *x, const char *head, const char *items)
{
    int rc = put_string(x, head);
    if (!rc) rc = put_string(x, items);
    return rc ? rc : put_string(x, "]");
}

/* x->p is after the backslash. */
static int read_backslash(parser *x)
{
    char name[3];
    uint32_t c;
    int rc = read_escape(x, &c);
    if (rc < 0) return rc;
    if (rc) return put_character(x, c);
    if (x->any_case) return refuse(x, "(?i:) with a property");
    const char e = *x->p++;
    switch (e) {
    case 's': return in_class(x, "[", WHITE_SPACE);
    case 'S': return in_class(x, "[^", WHITE_SPACE);
    case 'p':
    case 'P':
    case 'd':
    case 'D':
        memcpy(name, "Nd", 3);
        rc = (e | 32) == 'p' ? read_category(x, name) : 0;
        if (!rc) rc = put_string(x, e == 'p' || e == 'd' ? "[" : "[^");
        if (!rc) rc = put_property(x, name);
        return rc ? rc : put_string(x, "]");
    case 'A': x->t->restarts = false; return put_string(x, "\\A");
    case 'z': return put_string(x, "\\z");
    }
    x->p--;
    return refuse_escape(x);
}

/* x->p is after the parenthesis. */
static int read_group(parser *x)
{
    static const struct {
        const char *text, *out;
        bool behind;
    } kinds[] = { { "?:", "(?:", false },  { "?=", "(?=", false },  { "?!", "(?!", false },
                  { "?>", "(?>", false },  { "?<=", "(?<=", true }, { "?<!", "(?<!", true },
                  { "?i:", "(?i:", false } };
    if (*x->p == '*') return refuse(x, "(*");
    if (x->depth == MAX_DEPTH) return refuse(x, "too many groups in groups");
    x->outer_case[x->depth++] = x->any_case;
    if (*x->p != '?') return put_string(x, "(?:");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].text);
        if (strncmp(x->p, kinds[i].text, n)) continue;
        x->p += n;
        if (kinds[i].behind) x->t->restarts = false;
        if (!strcmp(kinds[i].text, "?i:")) x->any_case = true;
        return put_string(x, kinds[i].out);
    }
    return refuse(x, "a group other than (?:, (?i:, (?=, (?!, (?<=, (?<!, (?>");
}

/* {n}, {n,} or {n,m}; x->p is after the brace. */
static int read_braces(parser *x)
{
    const char *begin = x->p - 1, *p = x->p;
    size_t digits = strspn(p, "0123456789");
    bool range = p[digits] == ',';
    size_t more = range ? strspn(p + digits + 1, "0123456789") : 0;
    const char *end = p + digits + range + more;
    if (!digits || digits > 5 || more > 5 || *end != '}') return refuse(x, "a brace");
    end++;
    if (x->kind == LM_STEP_REGEX && (*end == '+' || (*end == '?' && !range)))
        return refuse(x, "a repetition of a repetition in braces");
    int rc = put(x, begin, (size_t)(end - begin));
    x->p = end;
    return rc;
}

static int read_one(parser *x)
{
    const char c = *x->p;
    if (!strchr("[\\", c) && (c < 'A' || (c | 32) > 'z')) x->last = 0;
    switch (c) {
    case '\\': x->p++; return read_backslash(x);
    case '[': x->p++; return read_class(x);
    case '(': x->p++; return read_group(x);
    case '{': x->p++; return read_braces(x);
    case ')':
        if (!x->depth) return refuse(x, "a parenthesis that closes nothing");
        x->any_case = x->outer_case[--x->depth];
        x->p++;
        return put_string(x, ")");
    case '^':
        x->t->restarts = false;
        /* fall through */
    case '$':
    case '.':
    case '|':
    case '*':
    case '+':
    case '?': return x->p++, put(x, &c, 1);
    }
    uint32_t code;
    int rc = read_plain(x, &code);
    return rc ? rc : put_character(x, code);
}

int lm_translate(lm_translation *t, const char *expression, enum lm_step_kind kind, lm_newer *newer)
{
    parser x = { .t = t, .all = expression, .p = expression, .kind = kind, .newer = newer };
    *t = (lm_translation){ LM_BUF_INIT((size_t)1 << 22), LM_BUF_INIT((size_t)1 << 24), true };
    int rc = 0;
    if (strlen(expression) > MAX_EXPRESSION)
        return lm_fail(LM_EDATA, "an expression of more than %zu bytes", MAX_EXPRESSION);
    while (*x.p && !rc) rc = read_one(&x);
    if (!rc && x.depth) rc = refuse(&x, "a group that is not closed");
    for (size_t i = 0; i < x.properties; i++) lm_buf_free(&x.seen[i].ranges);
    return rc;
}

void lm_translation_free(lm_translation *t)
{
    lm_buf_free(&t->text);
    lm_buf_free(&t->from);
}
