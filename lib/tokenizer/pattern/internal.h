/* internal.h -- parts of a pre-tokenizer.
 *
 *   pattern.c    the interface: a scanner where the steps are known, else a matcher for each step
 *   known.c      the lists of steps that are known
 *   scan.c       their scanners, character by character; avx2.c the same with SIMD
 *   steps.c      any steps: each splits the parts of the one before
 *   regex.c      one expression, by PCRE2
 *   translate.c  an expression as the libraries read it, in the syntax of PCRE2 */
#ifndef LM_LIB_TOKENIZER_PATTERN_INTERNAL_H
#define LM_LIB_TOKENIZER_PATTERN_INTERNAL_H

#include "lib/tokenizer/pattern/pattern.h"
#include "longmix/buf.h"

/* ---- known.c: what a scanner does ---- */

enum lm_scan_family {
    LM_SCAN_GPT2,     /* runs of letters, of numbers, of others, each with the space before it */
    LM_SCAN_WORDS,    /* words with any one character before them: cl100k and those after it */
    LM_SCAN_CASED,    /* the same, and words end before a capital letter: o200k */
    LM_SCAN_DEEPSEEK, /* numbers and kana or ideographs are split off first */
};

typedef struct lm_rules {
    const char *name;
    enum lm_scan_family family;
    unsigned numbers;  /* at most so many number characters are one part; 0: any */
    bool digits;       /* GPT2: the step "Digits" is before it */
    bool marks;        /* WORDS: combining marks are letters */
    bool end_whole;    /* WORDS: white space at the end is one part, line ends or not */
    bool contractions; /* CASED: "'s" belongs to the word before it */
} lm_rules;

/* The rules of the steps, or NULL if they are not known. */
const lm_rules *lm_rules_find(const lm_step *steps, size_t count);

/* ---- scan.c, avx2.c: as lm_pattern_cut ---- */

typedef ptrdiff_t lm_scanner(const lm_rules *r, const unsigned char *text, size_t n, size_t from,
                             uint32_t *ends, size_t max);
lm_scanner lm_parts_scalar, lm_parts_avx2;
bool lm_parts_have_avx2(void); /* the machine has what lm_parts_avx2 needs */

/* The end of the part of text[n] that begins at i < n; 0 where the text is not valid UTF-8. */
size_t lm_part_end(const lm_rules *r, const unsigned char *text, size_t n, size_t i);

/* Is it in the class of the second step of DeepSeek? */
static inline bool lm_is_cjk(uint32_t c)
{
    return (c >= 0x4e00 && c <= 0x9fa5) || (c >= 0x3040 && c <= 0x30ff);
}

/* ---- translate.c ---- */

/* Append ranges of code points to the buffer (uint32_t, first and last): those that have the general
 * category (one or two letters) and PCRE2 does not know. 0, 1 if PCRE2 has some that do not have
 * it, or a negative LM_E*. */
typedef int lm_newer(const char *category, lm_buf *ranges);

typedef struct lm_translation {
    lm_buf text;   /* for PCRE2 with UTF, UCP and DOLLAR_ENDONLY; MULTILINE with LM_STEP_REGEX */
    lm_buf from;   /* uint32_t: the byte of the expression that each byte of text is from */
    bool restarts; /* does not look behind */
} lm_translation;

/* 0; LM_EDATA for syntax that has no equivalent, LM_ENOMEM. */
LM_CHECKED int lm_translate(lm_translation *t, const char *expression, enum lm_step_kind kind,
                            lm_newer *newer);
void lm_translation_free(lm_translation *t);

/* Does the general category of a code point begin with `category`? */
bool lm_in_category(uint32_t c, const char *category);

/* ---- regex.c: an expression ---- */

typedef struct lm_regex lm_regex;     /* shared by threads */
typedef struct lm_matcher lm_matcher; /* one thread's */

LM_CHECKED int lm_regex_new(lm_regex **out, const char *expression, enum lm_step_kind kind);
void lm_regex_free(lm_regex *r);
bool lm_regex_restarts(const lm_regex *r);
LM_CHECKED int lm_matcher_new(lm_matcher **out);
void lm_matcher_free(lm_matcher *m);

/* The first match in text[n], valid UTF-8, from `from` on. 1, 0 if there is none, or a negative LM_E*. */
LM_CHECKED int lm_match(const lm_regex *r, lm_matcher *m, const unsigned char *text, size_t n,
                        size_t from, size_t *begin, size_t *end);

/* ---- steps.c ---- */

typedef struct lm_step_list lm_step_list; /* shared by threads */
typedef struct lm_splitter lm_splitter;   /* one thread's */

LM_CHECKED int lm_step_list_new(lm_step_list **out, const lm_step *steps, size_t count);
void lm_step_list_free(lm_step_list *l);
bool lm_step_list_restarts(const lm_step_list *l);
LM_CHECKED int lm_splitter_new(lm_splitter **out, const lm_step_list *l);
void lm_splitter_free(lm_splitter *s);
ptrdiff_t lm_split(lm_splitter *s, const unsigned char *text, size_t n, size_t from, uint32_t *ends,
                   size_t max); /* as lm_pattern_cut */

#endif
