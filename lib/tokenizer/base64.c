#include "lib/tokenizer/base64.h"

#include <stdbool.h>
#include <stdint.h>

/* The value of a character, or 64. */
static uint32_t value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

ptrdiff_t lm_base64_decode(unsigned char *out, const char *text, size_t n)
{
    unsigned char *to = out;
    if (n % 4) return -1;
    for (size_t i = 0; i < n; i += 4) {
        bool last = i + 4 == n;
        unsigned pad = !last || text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        uint32_t bits = 0;
        for (unsigned k = 0; k < 4; k++) {
            uint32_t v = k < 4 - pad ? value((unsigned char)text[i + k]) : 0;
            if (v > 63) return -1;
            bits = bits << 6 | v;
        }
        if (pad && bits & ((UINT32_C(1) << 8 * pad) - 1)) return -1;
        for (unsigned k = 0; k < 3 - pad; k++) *to++ = (unsigned char)(bits >> (16 - 8 * k));
    }
    return to - out;
}
