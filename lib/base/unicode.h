/* unicode.h -- strict UTF-8 (table 3-7 of the Unicode Standard), a character at a time: for what is
 * read rarely. */
#ifndef LM_LIB_BASE_UNICODE_H
#define LM_LIB_BASE_UNICODE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The length (1 to 4) of the character at s, of which n > 0 bytes may be read; 0 where there is
 * none, with *why in plain words ("overlong UTF-8"). */
size_t lm_utf8_next(const unsigned char *s, size_t n, const char **why);

#ifdef __cplusplus
}
#endif
#endif
