#include "check.h"
#include "lib/base/unicode.h"

/* What the definition says, by way of the code point: 0 for what is no character. */
static size_t by_definition(const unsigned char *s, size_t n)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = s[0] < 0x80       ? 1
                 : s[0] >> 5 == 6  ? 2
                 : s[0] >> 4 == 14 ? 3
                 : s[0] >> 3 == 30 ? 4
                                   : 0;
    if (len < 2) return len;
    unsigned c = s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (i >= n || s[i] >> 6 != 2) return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : len;
}

int main(void)
{
    /* Every byte, followed by every byte, then by the edges of what may follow. */
    static const unsigned char edges[] = { 0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff };
    unsigned long wrong = 0, silent = 0;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (unsigned e = 0; e < 36; e++)
                for (size_t n = 1; n <= 4; n++) {
                    unsigned char s[4] = { (unsigned char)a, (unsigned char)b, edges[e / 6],
                                           edges[e % 6] };
                    const char *why = NULL;
                    size_t k = lm_utf8_next(s, n, &why);
                    wrong += k != by_definition(s, n);
                    silent += k == 0 && !why;
                }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(silent, 0);
    CHECK_END();
}
