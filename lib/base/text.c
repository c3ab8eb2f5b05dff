#include "lib/base/text.h"

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

size_t lm_utf8_next(const unsigned char *s, size_t n, const char **why)
{
    uint32_t c;
    size_t len = lm_utf8_decode(s, n, &c);
    if (!len) *why = fault(s, n);
    return len;
}
