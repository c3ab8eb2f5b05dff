#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

bool lm_has_suffix(const char *s, const char *tail)
{
    size_t n = strlen(s), k = strlen(tail);
    return n > k && !strcmp(s + n - k, tail);
}

bool lm_is_blank(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n')) i++;
    return i == n;
}

/* The escape sequence of a character or byte that must not reach a terminal; 0 if it may. */
static int escape(char out[8], const char *s, size_t length, uint32_t c, bool lines)
{
    if (!length) return snprintf(out, 8, "\\x%02x", (unsigned)(unsigned char)*s);
    if (c == '\n' && lines) return 0;
    if (c == '\n' || c == '\t') return snprintf(out, 8, "\\%c", c == '\n' ? 'n' : 't');
    if (c < 0x20 || c == 0x7f) return snprintf(out, 8, "\\x%02x", (unsigned)c);
    bool controls = (c >= 0x80 && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
                    (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x061c;
    return controls ? snprintf(out, 8, "\\u%04x", (unsigned)c) : 0;
}

size_t lm_printable(char *out, size_t room, const char **s, bool lines)
{
    size_t n = 0;
    for (uint32_t c = 0; **s;) {
        char code[8];
        size_t length = lm_utf8_decode((const unsigned char *)*s, strnlen(*s, 4), &c);
        size_t k = (size_t)escape(code, *s, length, c, lines), take = length ? length : 1;
        if (n + (k ? k : take) >= room) break;
        memcpy(out + n, k ? code : *s, k ? k : take);
        n += k ? k : take;
        *s += take;
    }
    out[n] = 0;
    return n;
}

static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t row[64];
    if (m >= sizeof row / sizeof *row) return SIZE_MAX;
    for (size_t j = 0; j <= m; j++) row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t least = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < least) least = row[j] + 1;
            if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
            row[j] = least;
        }
    }
    return row[m];
}

lm_nearest lm_nearest_begin(size_t wanted_size)
{
    return (lm_nearest){ .distance = wanted_size / 4 + 2 }; /* nearer than that */
}

void lm_nearest_try(lm_nearest *best, const char *wanted, size_t wanted_size, const char *name,
                    size_t size)
{
    size_t d = distance(wanted, wanted_size, name, size);
    if (d < best->distance && d < size) *best = (lm_nearest){ name, size, d };
}

int lm_by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Why the bytes at s are not UTF-8. */
static const char *fault(const unsigned char *s, size_t n)
{
    unsigned char c = s[0];
    if (c < 0xc0) return "stray UTF-8 continuation byte";
    if (c < 0xc2) return "overlong UTF-8";
    if (c > 0xf4) return c < 0xf8 ? "UTF-8 past U+10FFFF" : "a byte that UTF-8 never has";
    size_t len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < len; i++)
        if (i >= n || (s[i] & 0xc0) != 0x80) return "UTF-8 sequence cut short";
    return c == 0xed   ? "surrogate in UTF-8"
           : c == 0xf4 ? "UTF-8 past U+10FFFF"
                       : "overlong UTF-8"; /* begins with E0 or F0 */
}

size_t lm_utf8_valid(const unsigned char *p, size_t n)
{
    uint32_t c;
    size_t i = 0;
    for (size_t len; i < n; i += len)
        if (!(len = lm_utf8_decode(p + i, n - i, &c))) break;
    return i;
}

size_t lm_utf8_next(const unsigned char *s, size_t n, const char **why)
{
    uint32_t c;
    size_t len = lm_utf8_decode(s, n, &c);
    if (!len) *why = fault(s, n);
    return len;
}
