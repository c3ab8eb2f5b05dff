/* glob.c -- shell patterns, byte by byte. */
#include "lib/domain/internal.h"

static unsigned char fold_case(unsigned char c, bool fold)
{
    return fold && c >= 'A' && c <= 'Z' ? c | 32 : c;
}

/* The end of the set that begins at p, or NULL where no ']' closes it. */
static const char *set_end(const char *p)
{
    p += 1 + (p[1] == '!' || p[1] == '^');
    if (*p == ']') p++; /* the first one is a member */
    while (*p && *p != ']') p++;
    return *p ? p + 1 : NULL;
}

static bool in_set(const char *p, const char *end, unsigned char c, bool fold)
{
    bool others = p[1] == '!' || p[1] == '^', in = false;
    for (p += 1 + others; p + 1 < end; p++) {
        unsigned char low = fold_case((unsigned char)*p, fold), high = low;
        if (p[1] == '-' && p + 3 < end) {
            high = fold_case((unsigned char)p[2], fold);
            p += 2;
        }
        if (c >= low && c <= high) in = true;
    }
    return in != others;
}

/* Does the element at *p, no '*', match c? Then *p is moved past it. */
static bool one(const char **p, unsigned char c, bool fold)
{
    const char *at = *p, *end = *at == '[' ? set_end(at) : NULL;
    c = fold_case(c, fold);
    if (!*at) return false;
    if (end) {
        *p = end;
        return in_set(at, end, c, fold);
    }
    if (*at == '\\' && at[1]) at++;
    else if (*at == '?') c = (unsigned char)*at;
    *p = at + 1;
    return fold_case((unsigned char)*at, fold) == fold_case(c, fold);
}

bool lm_glob(const char *p, const char *s, size_t n, bool fold)
{
    const char *end = s + n, *star = NULL, *retry = NULL;
    for (;;) {
        if (*p == '*') { /* at first it matches nothing; on failure one byte more */
            star = ++p;
            retry = s;
            continue;
        }
        if (s == end && !*p) return true;
        const char *next = p;
        if (s < end && one(&next, (unsigned char)*s, fold)) {
            p = next;
            s++;
            continue;
        }
        if (!star || retry == end) return false;
        p = star;
        s = ++retry;
    }
}
