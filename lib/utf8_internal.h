/* utf8_internal.h -- strict UTF-8 (Unicode table 3-7) for the cold paths of the io layer. */
#ifndef LM_UTF8_INTERNAL_H
#define LM_UTF8_INTERNAL_H

#include <stddef.h>

/* The length (1 to 4) of the character at s, of which n > 0 bytes may be read; 0 when it is not
 * UTF-8, with *why in plain words. */
size_t lm_utf8_next(const unsigned char *s, size_t n, const char **why);

#endif
