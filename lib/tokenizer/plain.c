#include "lib/tokenizer/plain.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/text.h"

enum { LOOK = 64 };

/* Does text begin at p that has a zero in every second byte, as Latin letters in UTF-16 have? */
static bool is_utf16(const unsigned char *p, size_t n)
{
    size_t zeros[2] = { 0, 0 };
    if (n > 1 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) return true;
    if (n > LOOK) n = LOOK;
    for (size_t i = 0; i < n; i++) zeros[i % 2] += !p[i];
    return n > 3 && zeros[0] + zeros[1] >= n / 4 && (!zeros[0] || !zeros[1]);
}

int lm_plain_text(const void *text, size_t n, uint64_t from, const char *name)
{
    const unsigned char *p = text;
    for (size_t i = 0, k; i < n; i += k) {
        const char *why = "a NUL byte";
        k = p[i] < 0x80 ? p[i] != 0 : lm_utf8_next(p + i, n - i, &why);
        if (k) continue;
        if (!from && is_utf16(p, n))
            return lm_fail(LM_EDATA,
                           "%s: byte %zu: UTF-16, and text must be UTF-8; convert it with iconv -f "
                           "UTF-16 -t UTF-8",
                           name, i);
        return lm_fail(LM_EDATA,
                       "%s: byte %" PRIu64
                       ": %s: not text in UTF-8 (iconv converts other encodings)",
                       name, from + i, why);
    }
    return LM_OK;
}
