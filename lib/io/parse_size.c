/* parse_size.c -- lm_parse_size of json.h: a count with a suffix. */
#include "longmix/json.h"

#include <ctype.h>
#include <string.h>

/* The factor of a suffix, 0 for one that is unknown. */
static uint64_t factor_of(const char *suffix)
{
    static const struct {
        char letter;
        uint64_t decimal, binary;
    } units[] = {
        { 'k', 1000u, UINT64_C(1) << 10 },
        { 'm', 1000000u, UINT64_C(1) << 20 },
        { 'g', 1000000000u, UINT64_C(1) << 30 },
        { 't', UINT64_C(1000000000000), UINT64_C(1) << 40 },
        { 'b', 1000000000u, 0 }, /* tokens are counted in billions: "5B" */
    };
    if (!*suffix) return 1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (tolower((unsigned char)suffix[0]) != units[i].letter) continue;
        if (!suffix[1]) return units[i].decimal;
        return (suffix[1] == 'i' || suffix[1] == 'I') && !suffix[2] ? units[i].binary : 0;
    }
    return 0;
}

int lm_parse_size(const char *s, uint64_t *out)
{
    const char *p = s;
    unsigned __int128 v = 0;     /* all digits, the point left out */
    unsigned __int128 scale = 1; /* 10 to the digits after the point */
    bool good = isdigit((unsigned char)*p), fits = true;
    for (; isdigit((unsigned char)*p) && fits; p++) {
        v = v * 10 + (unsigned)(*p - '0');
        fits = v <= UINT64_MAX;
    }
    if (good && *p == '.') {
        good = isdigit((unsigned char)*++p);
        /* 10^18 times 2^64 still fits; more digits than that are an error, not a size. */
        for (int k = 0; isdigit((unsigned char)*p) && fits; p++, k++) {
            v = v * 10 + (unsigned)(*p - '0');
            scale *= 10;
            fits = k < 18;
        }
    }
    uint64_t factor = fits ? factor_of(p) : 1;
    if (!good || !factor)
        return lm_fail(LM_EUSAGE, "\"%s\" is not a count such as 4096, 1.5M, 5B or 64Ki", s);
    if (fits && v > ~(unsigned __int128)0 / factor) fits = false;
    if (!fits || v * factor / scale > UINT64_MAX)
        return lm_fail(LM_EUSAGE, "\"%s\" is too large", s);
    if (v * factor % scale) return lm_fail(LM_EUSAGE, "\"%s\" is not a whole number", s);
    *out = (uint64_t)(v * factor / scale);
    return LM_OK;
}
