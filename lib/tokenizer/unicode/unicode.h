/* unicode.h -- properties of code points, and Unicode normalization form C, from tables of one Unicode
 * version that scripts/unicode.py generates. */
#ifndef LM_LIB_TOKENIZER_UNICODE_H
#define LM_LIB_TOKENIZER_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"

#define LM_UNICODE_VERSION "16.0"

/* Sets of code points, as bits: general categories, and White_Space (\s of the expressions). */
enum lm_unicode_set {
    LM_U_UPPER = 1,   /* Lu Lt */
    LM_U_LOWER = 2,   /* Ll */
    LM_U_LETTER = 4,  /* Lm Lo */
    LM_U_MARK = 8,    /* M */
    LM_U_NUMBER = 16, /* N */
    LM_U_SPACE = 32,
    LM_U_PUNCT = 64,   /* P */
    LM_U_SYMBOL = 128, /* S */
};

/* The sets of a code point below 0x110000. */
uint8_t lm_unicode_sets(uint32_t c);

/* Is the text in form C for certain (the quick check of UAX #15 gives "yes" for all of it)? Invalid
 * UTF-8 gives false. */
bool lm_is_nfc(const unsigned char *text, size_t n);

/* Append form C of n bytes of valid UTF-8. 0 or LM_ENOMEM. */
LM_CHECKED int lm_to_nfc(const unsigned char *text, size_t n, lm_buf *out);

#endif
