/* unicode.h -- properties of code points, and Unicode normalization form C, from tables that
 * scripts/unicode.py generates.
 *
 * The versions are those of the libraries whose ids are reproduced. Oniguruma in the Hugging Face tokenizers
 * library and the regular expressions of tiktoken have the same properties for all code points: those of
 * Unicode 16.0. The tokenizers library normalizes by Unicode 9.0, and its step "Digits" knows the
 * numbers of Unicode 17.0: 13 more. Libraries in Python normalize by the version of their Python; form C
 * is therefore that of Unicode 9.0 or 16.0, as the caller says. */
#ifndef LM_LIB_TOKENIZER_UNICODE_H
#define LM_LIB_TOKENIZER_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"

#define LM_UNICODE_VERSION "16.0"

/* Form C by the characters of one version of Unicode: those added later stay as they are. */
enum lm_nfc { LM_NFC_NONE, LM_NFC_9, LM_NFC_16 };

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

extern const uint8_t lm_unicode_blocks[8704], lm_unicode_values[];

/* The sets of a code point below 0x110000. */
static inline uint8_t lm_unicode_sets(uint32_t c)
{
    return lm_unicode_values[(size_t)lm_unicode_blocks[c >> 7] << 7 | (c & 127)];
}

/* Its general category: "Lu", "Cn". */
const char *lm_unicode_category(uint32_t c);

/* Is it a number for the step "Digits" (LM_U_NUMBER, or N since Unicode 17.0)? */
static inline bool lm_unicode_is_digit(uint32_t c)
{
    return lm_unicode_sets(c) & LM_U_NUMBER || (c >= 0x11de0 && c <= 0x11de9) ||
           (c >= 0x16ff4 && c <= 0x16ff6);
}

/* Is the text in form C for certain (the quick check of UAX #15 gives "yes" for all of it)? Invalid
 * UTF-8 gives false. `form`, here and below: not LM_NFC_NONE. */
bool lm_is_nfc(enum lm_nfc form, const unsigned char *text, size_t n);

/* Append form C of n bytes of valid UTF-8. 0 or LM_ENOMEM (`out` then holds a part of it). */
LM_CHECKED int lm_to_nfc(enum lm_nfc form, const unsigned char *text, size_t n, lm_buf *out);

#endif
