/* internal.h -- private to lib/tokenizer/tekken.
 *
 *   kind.c    the kind: special tokens, ids
 *   parse.cc  the file: up to 20 MB of JSON
 *   special.c what it lists */
#ifndef LM_LIB_TOKENIZER_TEKKEN_INTERNAL_H
#define LM_LIB_TOKENIZER_TEKKEN_INTERNAL_H

#include "lib/tokenizer/kind.h"
#include "lib/tokenizer/tiktoken/ranks.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lm_tekken_special {
    char *text; /* owned, by malloc */
    uint64_t rank;
} lm_tekken_special;

typedef struct lm_tekken {
    char *pattern;                      /* owned, by malloc */
    char version[16];                   /* "v3" */
    uint64_t vocab_size, special_count; /* config.default_vocab_size, .default_num_special_tokens */
    bool has_special;                   /* "special_tokens" is an array */
    lm_tekken_special *special;         /* owned */
    size_t specials, specials_cap;
    lm_ranks ranks;
} lm_tekken;

/* Read a file. 0, LM_ENOMEM, or LM_EDATA with file and field. lm_tekken_free in any case. */
int lm_tekken_parse(lm_tekken *out, const lm_tokenizer_file *f);

/* Add a special token, whose text is copied. 0 or LM_ENOMEM. */
int lm_tekken_add_special(lm_tekken *k, const char *text, size_t n, uint64_t rank);
void lm_tekken_free(lm_tekken *k);

#ifdef __cplusplus
}
#endif
#endif
