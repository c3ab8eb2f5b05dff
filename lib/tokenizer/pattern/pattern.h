/* pattern.h -- pre-tokenizers: where a text is split before its parts are merged.
 *
 * A pre-tokenizer is a list of steps, as tokenizer.json has it; each step splits every part that the
 * steps before it left. The lists of GPT-2, Digits + GPT-2, cl100k and LLaMA-3, Qwen2 and 3.5, o200k,
 * tekken and DeepSeek are recognised character for character and have scanners of their own
 * (AVX2 where the machine has it); every other regular expression is matched by PCRE2. Both give
 * the parts that the Hugging Face tokenizers library (LM_STEP_REGEX) and tiktoken (LM_STEP_MATCH) give. */
#ifndef LM_LIB_TOKENIZER_PATTERN_H
#define LM_LIB_TOKENIZER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

enum lm_step_kind {
    LM_STEP_REGEX,  /* matches, and what is between them, are parts ("Split", "Isolated") */
    LM_STEP_MATCH,  /* only matches are parts; text between them has no ids (tiktoken, tekken) */
    LM_STEP_STRING, /* occurrences of a literal string, and what is between them */
    LM_STEP_DIGITS, /* each character of Unicode's category N is a part ("Digits", individual) */
};

typedef struct lm_step {
    enum lm_step_kind kind;
    const char *text; /* the expression or the string; ignored for LM_STEP_DIGITS */
} lm_step;

/* A compiled pre-tokenizer: immutable, shared by threads. */
typedef struct lm_pattern lm_pattern;

enum lm_pattern_flags {
    LM_PATTERN_SCALAR = 1, /* the scanners without SIMD: for tests */
    LM_PATTERN_PCRE2 = 2,  /* never a scanner: for tests */
};

/* Compile 1 to 64 steps. 0; LM_EDATA for an expression that PCRE2 does not compile, or that means
 * something else to PCRE2 than to the library (\w, a class in a class: the message names it and the place in
 * the expression); LM_ENOMEM. The steps are not kept. */
LM_CHECKED int lm_pattern_new(lm_pattern **out, const lm_step *steps, size_t count, unsigned flags);

/* The same; the message of LM_EDATA begins with the file and the field that the steps are from. */
LM_CHECKED int lm_pattern_from(lm_pattern **out, const lm_step *steps, size_t count, unsigned flags,
                               const char *path, const char *field);
void lm_pattern_free(lm_pattern *p); /* NULL is allowed */

/* The scanner in use: "gpt2", "digits+gpt2", "cl100k", "llama3", "qwen2", "qwen3.5", "o200k", "tekken" or
 * "deepseek"; NULL where PCRE2 does the work. */
const char *lm_pattern_scanner(const lm_pattern *p);

/* The expression of a name that --pattern takes, which are those of the scanners, as steps; NULL for
 * another. *count receives their number. (cl100k is what tiktoken has today; it differs from llama3
 * where a text ends in white space with a line end in it.) */
const lm_step *lm_pattern_named(const char *name, size_t *count);

/* May a text be released up to an end that lm_pattern_cut has given, and the rest be cut as a text of
 * its own? True for scanners; false for expressions that look behind, and for several steps without a
 * scanner. */
bool lm_pattern_restarts(const lm_pattern *p);

/* One thread's memory. */
typedef struct lm_cutter lm_cutter;
LM_CHECKED int lm_cutter_new(lm_cutter **out, const lm_pattern *p);
void lm_cutter_free(lm_cutter *c); /* NULL is allowed */

/* A part that has no ids (LM_STEP_MATCH): this bit is set in its end. */
#define LM_CUT_SKIP UINT32_C(0x80000000)

/* Write the ends of the next parts of text[n], n <= 2^30, to ends[max], max >= 64. `from` is 0 or the end of
 * a part of this text. Parts are not empty and ascending, and cover the text without gaps. Returns
 * their number, which may be less than max and is 0 only where from == n; or a negative LM_E*: LM_EDATA
 * where the text is not valid UTF-8 (no message is made; found at the latest when the invalid bytes
 * would be part of an end that is written) or where PCRE2 gives up (with a message), LM_ENOMEM. Reads
 * only text[0 .. n); other elements of ends[max] may be overwritten. PCRE2 is fastest where the
 * calls for a text follow each other: otherwise it begins again and skips what is before `from`. */
ptrdiff_t lm_pattern_cut(lm_cutter *c, const unsigned char *text, size_t n, size_t from,
                         uint32_t *ends, size_t max);

#endif
