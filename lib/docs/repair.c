/* repair.c -- a line with what Python and byte-wise cuts leave in JSON, made valid: lone surrogates,
 * bytes that are not UTF-8, NaN and the infinities. */
#include <string.h>

#include "lib/base/text.h"
#include "lib/docs/internal.h"

static int hex_digit(int c)
{
    int lower = c | 32;
    if (c >= '0' && c <= '9') return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int lm_escape_unit(const char *s, size_t n)
{
    int v = 0;
    if (n < 6 || s[0] != '\\' || s[1] != 'u') return -1;
    for (int i = 2; i < 6; i++) {
        int d = hex_digit((unsigned char)s[i]);
        if (d < 0) return -1;
        v = v << 4 | d;
    }
    return v;
}

/* Of bytes that begin no character: how many are the begin of one, at least 1 (the Unicode
 * Standard's "maximal subpart"). */
static size_t subpart(const unsigned char *s, size_t n)
{
    unsigned a = s[0], low = 0x80, high = 0xbf;
    size_t length = a >= 0xc2 && a <= 0xdf ? 2 : a >= 0xe0 && a <= 0xef ? 3 : 1;
    if (a >= 0xf0 && a <= 0xf4) length = 4;
    if (a == 0xe0) low = 0xa0;
    if (a == 0xed) high = 0x9f;
    if (a == 0xf0) low = 0x90;
    if (a == 0xf4) high = 0x8f;
    size_t k = 1;
    for (; k < length && k < n && s[k] >= low && s[k] <= high; k++) {
        low = 0x80;
        high = 0xbf;
    }
    return k;
}

/* What stands for the escape at s: at least one byte of it is taken. */
static size_t take_escape(const char *s, size_t n, lm_string *put)
{
    int v = lm_escape_unit(s, n);
    size_t k = n > 1 && (unsigned char)s[1] < 0x80 ? 2 : 1;
    if (v >= 0) k = 6;
    if (lm_is_high(v) && lm_is_low(lm_escape_unit(s + 6, n - 6))) k = 12;
    *put = (lm_string){ s, k };
    if (v >= 0 && k == 6 && (lm_is_high(v) || lm_is_low(v))) put->s = "\\ufffd";
    return k;
}

static size_t take_outside(const char *s, size_t n, lm_string *put)
{
    static const char *const words[] = { "NaN", "Infinity", "-Infinity" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t k = strlen(words[i]);
        if (n < k || memcmp(s, words[i], k)) continue;
        *put = (lm_string){ "null", 4 };
        return k;
    }
    *put = (lm_string){ s, 1 };
    return 1;
}

/* The next piece of the line, n > 0 bytes at s: how many it has, and what stands for it. `inside` a
 * string is kept up to date. */
static size_t take(const char *s, size_t n, bool *inside, lm_string *put)
{
    const unsigned char *u = (const unsigned char *)s;
    uint32_t c;
    if (*s == '"') *inside = !*inside;
    else if (!*inside) return take_outside(s, n, put);
    else if (*s == '\\') return take_escape(s, n, put);
    *put = (lm_string){ s, lm_utf8_decode(u, n, &c) };
    if (put->n) return put->n;
    *put = (lm_string){ LM_UTF8_REPLACEMENT, 3 };
    return subpart(u, n);
}

int lm_line_repair(lm_buf *out, const char *s, size_t n)
{
    bool inside = false;
    int changed = 0;
    for (size_t at = 0; at < n;) {
        lm_string put;
        size_t k = take(s + at, n - at, &inside, &put);
        int rc = lm_buf_add(out, put.s, put.n);
        if (rc) return rc;
        if (put.s != s + at) changed = 1;
        at += k;
    }
    return changed;
}

size_t lm_line_repaired_from(const char *s, size_t n, size_t at)
{
    bool inside = false;
    size_t from = 0, to = 0;
    while (from < n) {
        lm_string put;
        size_t k = take(s + from, n - from, &inside, &put);
        if (to + put.n > at) return put.s == s + from ? from + (at - to) : from;
        from += k;
        to += put.n;
    }
    return n;
}
