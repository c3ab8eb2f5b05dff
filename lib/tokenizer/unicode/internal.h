/* internal.h -- tables.c, which scripts/unicode.py writes. */
#ifndef LM_LIB_TOKENIZER_UNICODE_INTERNAL_H
#define LM_LIB_TOKENIZER_UNICODE_INTERNAL_H

#include "lib/tokenizer/unicode/unicode.h"

/* Where a run of code points of one category begins: code point << 8 | index of its name. */
extern const size_t lm_category_runs;
extern const uint32_t lm_category_run[];
extern const char lm_category_names[][3];

/* Form C, in two stages of 256: a class of code points with one combining class and one answer of the
 * quick check in each version. Class 0 has combining class 0 and is "yes" in both. */
typedef struct lm_nfc_class {
    uint8_t combining, fails; /* fails: "no" or "maybe" */
} lm_nfc_class;
extern const uint8_t lm_nfc_blocks[], lm_nfc_values[];
extern const lm_nfc_class *const lm_nfc_classes[2]; /* by enum lm_nfc, from LM_NFC_9 on */

/* Full canonical decompositions, by code point: `count` code points from `at`. `late`, here and below:
 * not in Unicode 9.0. */
typedef struct lm_decomposition {
    uint32_t c;
    uint16_t at;
    uint8_t count, late;
} lm_decomposition;
extern const size_t lm_nfc_decompositions;
extern const lm_decomposition lm_nfc_decomposition[];
extern const uint32_t lm_nfc_decomposed[];

/* Pairs that compose, ascending. */
typedef struct lm_composition {
    uint32_t first, second, composed;
    uint8_t late;
} lm_composition;
extern const size_t lm_nfc_compositions;
extern const lm_composition lm_nfc_composition[];

#endif
