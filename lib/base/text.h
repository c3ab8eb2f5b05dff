/* text.h -- small helpers for strings, and strict UTF-8 (table 3-7 of the Unicode Standard). */
#ifndef LM_LIB_BASE_TEXT_H
#define LM_LIB_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- strings --------------------------------------------------------------------------- */

/* Does `s` end with `tail` and have something before it? */
bool lm_has_suffix(const char *s, const char *tail);

/* Convert text for a terminal, from *s (which ends with a zero byte) to `out`, of `room` >= 16 bytes,
 * and end it with a zero byte: as much as fits, after which *s is the rest. Control characters, those
 * that change the direction of text, and bytes that are not UTF-8 become \n, \t, \xHH or \uHHHH;
 * with `lines`, newlines stay. The length. */
size_t lm_printable(char *out, size_t room, const char **s, bool lines);

/* Does JSON see only white space in n bytes? */
bool lm_is_blank(const char *s, size_t n);

/* For qsort and bsearch over an array of char *, or of structs that begin with one: bytewise. */
int lm_by_name(const void *a, const void *b);

/* "Did you mean ...?": the nearest of some names to one that does not exist, by the characters to
 * insert, delete or replace. */
typedef struct lm_nearest {
    const char *name; /* NULL: none is near enough; else `size` bytes of what was tried */
    size_t size, distance;
} lm_nearest;

lm_nearest lm_nearest_begin(size_t wanted_size);
void lm_nearest_try(lm_nearest *best, const char *wanted, size_t wanted_size, const char *name,
                    size_t size);

/* ---- UTF-8 ----------------------------------------------------------------------------- */

#define LM_UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, written where bytes are not UTF-8 */

/* The length (1 to 4) of the character at p, of which n > 0 bytes may be read, with its code point
 * in *c; 0 where the bytes are not UTF-8 (*c is then undefined). */
static inline size_t lm_utf8_decode(const unsigned char *p, size_t n, uint32_t *c)
{
    unsigned a = p[0];
    if (a < 0x80) return *c = a, 1;
    if (n < 2 || (p[1] & 0xc0) != 0x80) return 0;
    if (a < 0xe0) return *c = (a & 31) << 6 | (p[1] & 63), a >= 0xc2 ? 2 : 0;
    if (n < 3 || (p[2] & 0xc0) != 0x80) return 0;
    if (a < 0xf0) {
        *c = (a & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
        return *c >= 0x800 && (*c < 0xd800 || *c > 0xdfff) ? 3 : 0;
    }
    if (n < 4 || (p[3] & 0xc0) != 0x80 || a > 0xf4) return 0;
    *c = (a & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 | (p[3] & 63);
    return *c >= 0x10000 && *c <= 0x10ffff ? 4 : 0;
}

/* The same without the code point; where it returns 0, *why is the reason ("overlong UTF-8"). */
size_t lm_utf8_next(const unsigned char *s, size_t n, const char **why);

/* How many of n bytes are UTF-8 from the first on, whole characters: n where all are. */
size_t lm_utf8_valid(const unsigned char *p, size_t n);

#ifdef __cplusplus
}
#endif
#endif
