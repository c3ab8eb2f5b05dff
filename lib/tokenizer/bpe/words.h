/* words.h -- a text to ids with a vocabulary of characters: words between cuts, looked up in a table
 * of the words seen, and merged where they are not there. */
#ifndef LM_LIB_TOKENIZER_BPE_WORDS_H
#define LM_LIB_TOKENIZER_BPE_WORDS_H

#include "lib/tokenizer/bpe/vocab.h"
#include "longmix/buf.h"

typedef struct lm_words lm_words;
int lm_words_new(lm_words **out, const lm_vocab *v, unsigned width, unsigned flags);
void lm_words_free(lm_words *w);

/* Append the ids of a text, with the dummy prefix where `first` and the model has it. */
int lm_words_encode(lm_words *w, const unsigned char *text, size_t n, bool first, lm_buf *out);

/* What lm_words_encode writes for n bytes fits this. */
static inline size_t lm_words_bound(size_t n, unsigned width) { return (n + 1) * width + 64; }

/* The bytes of a text that may be encoded apart from the rest: up to a boundary past the first
 * megabyte that no merge crosses; n where there is none. */
size_t lm_words_slice(const lm_vocab *v, const unsigned char *text, size_t n);

#endif
