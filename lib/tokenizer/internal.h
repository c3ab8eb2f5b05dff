/* internal.h -- private to lib/tokenizer.
 *
 *   tokenizer.c  opening
 *   encode.c     the encoders of all kinds: added tokens, and the text between them
 *   recognize.c  what a file is, by its contents
 *   members.c    the members of a JSON object, for it
 *   directory.c  the tokenizer files of a directory
 *   added.c      the list of tokens that are found before anything else is done with a text
 *   find.c       finding them */
#ifndef LM_LIB_TOKENIZER_INTERNAL_H
#define LM_LIB_TOKENIZER_INTERNAL_H

#include "lib/tokenizer/kind.h"

/* ---- recognize.c ---------------------------------------------------------------------- */

enum lm_file_kind {
    LM_FILE_OTHER,
    LM_FILE_SENTENCEPIECE,
    LM_FILE_HUGGINGFACE,
    LM_FILE_TIKTOKEN,
    LM_FILE_TEKKEN,
};

/* By the contents. What is not known may be a SentencePiece model, whose library decides. */
enum lm_file_kind lm_file_kind(const lm_tokenizer_file *f);

/* LM_EDATA with a message that says what a file of no kind is, where that is known; else 0. */
int lm_file_name_other(const lm_tokenizer_file *f);

/* ---- added.c ----------------------------------------------------------------------------- */

/* Build t->index. 0 or LM_ENOMEM. */
int lm_added_index_new(lm_tokenizer *t);
void lm_added_index_free(lm_added_index *x);

/* ---- find.c ------------------------------------------------------------------------------ */

/* A token in a text, with the white space that it takes. */
typedef struct lm_found {
    size_t start, stop;
    uint32_t id;
} lm_found;

/* May anything be found? */
static inline bool lm_find_active(const lm_added_set *s, bool parse)
{
    return parse ? s->count > 0 : s->always > 0;
}

/* The first token that begins in text[from .. limit) of n bytes, limit <= n, as Hugging Face's
 * library finds them: leftmost, longest; without `parse` special ones are passed over. `after_word`:
 * the text comes after a letter, digit or underscore. */
bool lm_find(const lm_added_set *s, bool parse, bool after_word, const unsigned char *text,
             size_t n, size_t from, size_t limit, lm_found *out);

/* Does the text end with a letter, digit or underscore? */
bool lm_ends_with_word(const unsigned char *text, size_t n);

#endif
