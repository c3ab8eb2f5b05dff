/* internal.h -- private to lib/tokenizer/tiktoken.
 *
 *   kind.c   rank files: a line is a piece in base64, a space, its rank
 *   known.c  files that are known by their hash: pattern and special tokens
 *   ranks.c  pieces with ranks, which tekken has, too */
#ifndef LM_LIB_TOKENIZER_TIKTOKEN_INTERNAL_H
#define LM_LIB_TOKENIZER_TIKTOKEN_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/tokenizer/kind.h"

/* Special tokens with consecutive ids: `text`, or where `count` > 0 `text`, a number from `from`
 * on, and "|>". */
typedef struct lm_special_run {
    const char *text;
    uint32_t from, count;
} lm_special_run;

/* A run that begins at another id than the one after the run before: its text is NULL. */
typedef struct lm_known_ranks {
    uint64_t hash; /* XXH3-64 of the file */
    const char *name;
    const char *pattern; /* as lm_pattern_named, or an expression */
    const lm_special_run *special;
    uint32_t first;        /* the id of the first special token */
    const char *bos, *eos; /* NULL: none */
    enum lm_nfc nfc; /* the family's library normalizes text to form C, by its Python's Unicode */
} lm_known_ranks;

/* NULL for a file that is not known. */
const lm_known_ranks *lm_known_ranks_of(uint64_t hash);

#endif
