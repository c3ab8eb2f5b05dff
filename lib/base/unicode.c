#include "lib/base/unicode.h"

size_t lm_utf8_next(const unsigned char *s, size_t n, const char **why)
{
    unsigned char c = s[0];
    if (c < 0x80) return 1;
    if (c < 0xc0) {
        *why = "stray UTF-8 continuation byte";
        return 0;
    }
    if (c < 0xc2) {
        *why = "overlong UTF-8";
        return 0;
    }
    if (c > 0xf4) {
        *why = c < 0xf8 ? "UTF-8 past U+10FFFF" : "a byte that UTF-8 never has";
        return 0;
    }
    size_t len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < len; i++)
        if (i >= n || (s[i] & 0xc0) != 0x80) {
            *why = "UTF-8 sequence cut short";
            return 0;
        }
    *why = (c == 0xe0 && s[1] < 0xa0) || (c == 0xf0 && s[1] < 0x90) ? "overlong UTF-8"
           : c == 0xed && s[1] >= 0xa0                              ? "surrogate in UTF-8"
           : c == 0xf4 && s[1] >= 0x90                              ? "UTF-8 past U+10FFFF"
                                                                    : NULL;
    return *why ? 0 : len;
}
