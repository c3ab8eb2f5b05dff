/* scan.c -- a strict parser of one line that reports positions. simdjson says only that a
 * line is invalid; this one says at which byte and why. It must accept and reject what simdjson
 * does (tests/fuzz/fuzz_jsonl.c compares them). */
#include "lib/docs/internal.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

typedef struct scan {
    const unsigned char *s;
    size_t n, at;
    size_t *fault;
    const lm_paths *paths;
    lm_span *span;
} scan;

#define FAIL_AT(w, where, ...) (*(w)->fault = (where), lm_fail(LM_EDATA, __VA_ARGS__))
#define FAIL(w, ...) FAIL_AT(w, (w)->at, __VA_ARGS__)

/* The current byte, -1 at the end. */
static int peek(const scan *w) { return w->at < w->n ? w->s[w->at] : -1; }

static int after_space(scan *w)
{
    while (w->at < w->n && strchr(" \t\r\n", w->s[w->at]) && w->s[w->at]) w->at++;
    return peek(w);
}

/* ---- strings --------------------------------------------------------------------------- */

/* The code unit of the \uXXXX escape here, or -1. */
static int unit(const scan *w) { return lm_escape_unit((const char *)w->s + w->at, w->n - w->at); }

static int escape(scan *w)
{
    if (w->at + 1 == w->n) return FAIL_AT(w, w->n, "cut off inside an escape");
    unsigned char c = w->s[w->at + 1];
    if (c != 'u') {
        if (!c || !strchr("\"\\/bfnrt", c)) return FAIL(w, "an escape that JSON does not know");
        w->at += 2;
        return LM_OK;
    }
    int v = unit(w);
    if (v < 0 && w->n - w->at < 6 && !memchr(w->s + w->at, '"', w->n - w->at))
        return FAIL_AT(w, w->n, "cut off inside an escape");
    if (v < 0) return FAIL(w, "\\u without four hexadecimal digits");
    if (lm_is_low(v)) return FAIL(w, "lone low surrogate in an escape");
    if (lm_is_high(v)) {
        w->at += 6;
        if (!lm_is_low(unit(w))) {
            w->at -= 6;
            return FAIL(w, "lone high surrogate in an escape");
        }
    }
    w->at += 6;
    return LM_OK;
}

/* True when the eight bytes at p are ASCII that needs no escape inside a string. */
static bool plain8(const unsigned char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t v;
    memcpy(&v, p, 8);
    uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\';
    /* x - 1 borrows into the top bit of a zero byte; v - 0x20 into that of a control byte. */
    return !((v | (v - ones * 0x20) | (quote - ones) | (slash - ones)) & high);
}

/* At the opening quote; leaves w->at after the closing one. */
static int string(scan *w, lm_span *at)
{
    at->start = ++w->at;
    for (;;) {
        while (w->n - w->at >= 8 && plain8(w->s + w->at)) w->at += 8;
        int c = peek(w), rc = LM_OK;
        const char *why = NULL;
        if (c < 0) return FAIL(w, "cut off inside a string");
        if (c == '"') break;
        if (c == '\\') {
            rc = escape(w);
        } else if (c < 0x20) {
            rc = FAIL(w, "control byte 0x%02x inside a string", (unsigned)c);
        } else {
            size_t k = lm_utf8_next(w->s + w->at, w->n - w->at, &why);
            if (!k) rc = FAIL(w, "%s", why);
            w->at += k;
        }
        if (rc) return rc;
    }
    at->end = w->at++;
    return LM_OK;
}

static size_t put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i; i--, c >>= 6) to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)((0xf00 >> len & 0xff) | c);
    return len;
}

size_t lm_line_unescape(char *to, const char *from, size_t n)
{
    char *o = to;
    const char *end = from + n;
    for (;;) {
        const char *slash = memchr(from, '\\', (size_t)(end - from));
        size_t run = (size_t)((slash ? slash : end) - from);
        memmove(o, from, run);
        o += run;
        if (!slash) return (size_t)(o - to);
        from = slash + 2;
        if (slash[1] != 'u') {
            static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
            const char *l = strchr(letters, slash[1]);
            *o++ = l ? meant[l - letters] : slash[1];
            continue;
        }
        unsigned c = (unsigned)lm_escape_unit(slash, 6);
        from += 4;
        if (lm_is_high((int)c)) {
            unsigned low = (unsigned)lm_escape_unit(from, 6);
            c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
            from += 6;
        }
        o += put_utf8(o, c);
    }
}

/* ---- numbers and words ----------------------------------------------------------------- */

static bool digits(scan *w)
{
    size_t from = w->at;
    while (peek(w) >= '0' && peek(w) <= '9') w->at++;
    return w->at > from;
}

static int number(scan *w)
{
    size_t from = w->at;
    bool negative = peek(w) == '-', whole = true;
    if (negative) w->at++;
    size_t first = w->at;
    if (!digits(w)) return FAIL_AT(w, from, "not a JSON number");
    if (w->s[first] == '0' && w->at - first > 1)
        return FAIL_AT(w, from, "a number with a leading zero");
    size_t last = w->at;
    if (peek(w) == '.') {
        w->at++;
        whole = false;
        if (!digits(w)) return FAIL_AT(w, from, "a number without digits after its point");
    }
    if (peek(w) == 'e' || peek(w) == 'E') {
        w->at++;
        whole = false;
        if (peek(w) == '+' || peek(w) == '-') w->at++;
        if (!digits(w)) return FAIL_AT(w, from, "a number without digits in its exponent");
    }
    if (whole) {
        const char *limit = negative ? "9223372036854775808" : "18446744073709551615";
        size_t have = last - first, most = strlen(limit);
        if (have > most || (have == most && memcmp(w->s + first, limit, most) > 0))
            return FAIL_AT(w, from, "a whole number past 64 bits");
    } else if (w->at < w->n && isinf(strtod((const char *)w->s + from, NULL))) {
        /* strtod stops at the byte that follows the number. */
        return FAIL_AT(w, from, "a number past the range of a double");
    }
    return LM_OK;
}

static int word(scan *w, const char *want)
{
    size_t k = strlen(want);
    if (w->n - w->at < k || memcmp(w->s + w->at, want, k)) return FAIL(w, "not a JSON value");
    w->at += k;
    return LM_OK;
}

/* ---- structure ------------------------------------------------------------------------- */

static int value(scan *w, unsigned depth, unsigned step, unsigned active, unsigned final);

/* Whether the key in `raw`, escapes and all, is `step` of path p. */
static bool same_key(const scan *w, lm_span raw, unsigned p, unsigned step)
{
    char key[6 * LM_STEP_BYTES]; /* no key is more than six times shorter than it is written */
    size_t n = raw.end - raw.start;
    if (n > sizeof key) return false;
    n = lm_line_unescape(key, (const char *)w->s + raw.start, n);
    return n == w->paths->path[p].step[step].n && !memcmp(key, w->paths->path[p].step[step].s, n);
}

static int fail_twice(scan *w, unsigned paths, unsigned step, size_t where)
{
    unsigned p = 0;
    while (!(paths >> p & 1)) p++;
    return FAIL_AT(w, where, "the key \"%s\" stands twice: which one is meant?",
                   w->paths->path[p].step[step].s);
}

static int enter(scan *w, unsigned depth)
{
    return depth > LM_DEPTH_MAX ? FAIL(w, "nested deeper than %d levels", LM_DEPTH_MAX) : LM_OK;
}

/* One member of an object; `seen`: the paths whose key it has had. */
static int member(scan *w, unsigned depth, unsigned step, unsigned active, unsigned *seen)
{
    lm_span key;
    size_t where = w->at;
    if (peek(w) < 0) return FAIL(w, "cut off inside an object");
    if (peek(w) != '"') return FAIL(w, "expected a key in double quotes");
    int rc = string(w, &key);
    if (rc) return rc;
    unsigned hit = 0, final = 0;
    for (unsigned p = 0; p < w->paths->count; p++)
        if ((active >> p & 1) && same_key(w, key, p, step)) {
            hit |= 1u << p;
            if (step + 1 == w->paths->path[p].steps) final |= 1u << p;
        }
    if (hit & *seen) return fail_twice(w, hit & *seen, step, where);
    *seen |= hit;
    if (after_space(w) < 0) return FAIL(w, "cut off after a key");
    if (peek(w) != ':') return FAIL(w, "expected ':' after a key");
    w->at++;
    return value(w, depth, step + 1, hit & ~final, final);
}

/* At the '{'. */
static int object(scan *w, unsigned depth, unsigned step, unsigned active)
{
    unsigned seen = 0;
    w->at++;
    if (after_space(w) == '}') {
        w->at++;
        return LM_OK;
    }
    int rc = enter(w, depth);
    while (!rc) {
        rc = member(w, depth, step, active, &seen);
        if (rc) break;
        int c = after_space(w);
        if (c < 0) return FAIL(w, "cut off inside an object");
        if (c != ',' && c != '}') return FAIL(w, "expected ',' or '}' in an object");
        w->at++;
        if (c == '}') break;
        if (after_space(w) == '}') return FAIL(w, "a comma before '}'");
    }
    return rc;
}

/* At the '['. */
static int array(scan *w, unsigned depth)
{
    w->at++;
    if (after_space(w) == ']') {
        w->at++;
        return LM_OK;
    }
    int rc = enter(w, depth);
    while (!rc) {
        rc = value(w, depth, 0, 0, 0);
        if (rc) break;
        int c = after_space(w);
        if (c < 0) return FAIL(w, "cut off inside an array");
        if (c != ',' && c != ']') return FAIL(w, "expected ',' or ']' in an array");
        w->at++;
        if (c == ']') break;
        if (after_space(w) == ']') return FAIL(w, "a comma before ']'");
    }
    return rc;
}

static const char *kind_of(int c)
{
    switch (c) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case 't':
    case 'f': return "true or false";
    case 'n': return "null";
    default: return "a number";
    }
}

/* The value here, `depth` containers deep. `active`: paths that continue below it; `final`: paths
 * that end here. */
static int value(scan *w, unsigned depth, unsigned step, unsigned active, unsigned final)
{
    int c = after_space(w), rc;
    size_t where = w->at;
    lm_span s = { 0, 0 };
    switch (c) {
    case -1: return FAIL(w, "cut off where a value should stand");
    case '{': rc = object(w, depth + 1, step, active); break;
    case '[': rc = array(w, depth + 1); break;
    case '"': rc = string(w, &s); break;
    case 't': rc = word(w, "true"); break;
    case 'f': rc = word(w, "false"); break;
    case 'n': rc = word(w, "null"); break;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': rc = number(w); break;
    default: return FAIL(w, "not a JSON value");
    }
    if (rc) return rc;
    if ((final & 1) && !s.start)
        return FAIL_AT(w, where, "\"%s\" is %s, not a string", w->paths->text, kind_of(c));
    for (unsigned p = 0; p < w->paths->count; p++)
        if (final >> p & 1) w->span[p] = s;
    return LM_OK;
}

int lm_line_scan(const char *s, size_t n, const lm_paths *paths, lm_span *span, size_t *fault)
{
    scan w = { (const unsigned char *)s, n, 0, fault, paths, span };
    for (unsigned p = 0; p < LM_PATHS_MAX; p++) span[p] = (lm_span){ 0, 0 };
    if (n >= 3 && !memcmp(s, "\xef\xbb\xbf", 3)) return FAIL(&w, "begins with a byte order mark");
    int c = after_space(&w);
    if (c < 0 || !strchr("{[\"tfn-0123456789", c) || !c) return FAIL(&w, "not JSON");
    if (c != '{') {
        size_t where = w.at;
        int rc = value(&w, 0, 0, 0, 0);
        return rc ? rc : FAIL_AT(&w, where, "%s, not an object", kind_of(c));
    }
    int rc = object(&w, 1, 0, (1u << paths->count) - 1);
    if (rc) return rc;
    size_t close = w.at - 1;
    if (after_space(&w) >= 0) return FAIL(&w, "something follows the object");
    if (!span[0].start) return FAIL_AT(&w, close, LM_NO_MEMBER " \"%s\"", paths->text);
    return LM_OK;
}

/* ---- one member of an accepted line --------------------------------------------------------- */

/* Past the string whose opening quote is at s. */
static const char *skip_string(const char *s, const char *end)
{
    for (s++;; s++) {
        s = memchr(s, '"', (size_t)(end - s));
        const char *b = s;
        while (b[-1] == '\\') b--; /* the opening quote ends this at the latest */
        if ((s - b) % 2 == 0) return s + 1;
    }
}

static const char *skip_space(const char *s)
{
    while (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n') s++;
    return s;
}

/* Past the value at s. */
static const char *skip_value(const char *s, const char *end)
{
    if (*s == '"') return skip_string(s, end);
    if (*s != '{' && *s != '[') {
        while (!strchr(",}] \t\r\n", *s)) s++;
        return s;
    }
    size_t depth = 0;
    do {
        if (*s == '"') {
            s = skip_string(s, end);
            continue;
        }
        depth += *s == '{' || *s == '[';
        depth -= *s == '}' || *s == ']';
        s++;
    } while (depth);
    return s;
}

bool lm_line_member(const char *line, size_t n, const char *key, const char **value, size_t *size)
{
    const char *end = line + n, *s = skip_space(line);
    char plain[6 * LM_STEP_BYTES];
    do { /* at '{' or ',' */
        const char *k = skip_space(s + 1);
        if (*k != '"') return false; /* "{}" */
        s = skip_string(k, end);
        size_t raw = (size_t)(s - k - 2);
        const char *v = skip_space(skip_space(s) + 1);
        s = skip_value(v, end);
        if (raw <= sizeof plain) {
            size_t m = lm_line_unescape(plain, k + 1, raw);
            if (m == strlen(key) && !memcmp(plain, key, m)) {
                *value = v;
                *size = (size_t)(s - v);
                return true;
            }
        }
        s = skip_space(s);
    } while (*s == ',');
    return false;
}
