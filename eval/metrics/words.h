/* words.h -- a text as words, cut the ways the published scorers cut it. Their regular expressions
 * and str methods are Python's, so the rules for letters and blanks are Python's, too: lower case
 * for Latin, Greek, Cyrillic and Armenian letters, blanks as str.split knows them. Bytes that are
 * not UTF-8 are kept. */
#ifndef EVAL_METRICS_WORDS_H
#define EVAL_METRICS_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"

enum eval_split {
    EVAL_SPLIT_PLAIN,    /* lower case, cut at blanks */
    EVAL_SPLIT_STRIPPED, /* the same, ASCII punctuation removed first */
    EVAL_SPLIT_ANSWER,   /* SQuAD's: the same, and the articles a, an, the removed */
    EVAL_SPLIT_CASED,    /* as ANSWER, case kept */
    EVAL_SPLIT_ROUGE,    /* lower case, runs of a-z and 0-9 */
    EVAL_SPLIT_STEMMED,  /* the same, words longer than three letters stemmed */
};

typedef struct eval_words {
    lm_buf text; /* the words, NUL-ended, one after the other */
    size_t count;
    size_t *start; /* [count] where each begins in text */
    size_t room;
} eval_words;

enum { EVAL_TEXT_MAX = 1 << 28 }; /* bytes of a text */

/* The words of `text`. 0 or LM_ENOMEM, after either of which eval_words_free is due. */
LM_CHECKED int eval_words_cut(eval_words *w, const char *text, enum eval_split how);
void eval_words_free(eval_words *w); /* a zeroed one is allowed */

static inline const char *eval_word(const eval_words *w, size_t i)
{
    return (const char *)w->text.data + w->start[i];
}

/* Number the words of both texts so that equal words have equal numbers: na[a->count] and
 * nb[b->count] of 0 .. *distinct - 1. Both arrays are one block, freed through *na. */
LM_CHECKED int eval_words_number(const eval_words *a, const eval_words *b, uint32_t **na,
                                 uint32_t **nb, size_t *distinct);

/* Append `text` in lower case. 0 or LM_ENOMEM. */
LM_CHECKED int eval_lower(lm_buf *out, const char *text);

/* The length of the blank (str.isspace) at s, 0 where there is none. */
size_t eval_blank(const char *s);

/* Porter's stemmer (Program 14(3), 1980) with the changes of NLTK's PorterStemmer, which the ROUGE
 * package uses: the word of n ASCII lower case letters or digits at w is stemmed in place, where n
 * + 1 bytes must be writable. Returns the new length. */
size_t eval_stem(char *w, size_t n);

#endif
