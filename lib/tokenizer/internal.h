/* internal.h -- private to lib/tokenizer.
 *
 *   tokenizer.c  opening and the encoders of all kinds
 *   recognize.c  what a file is, by its contents
 *   directory.c  the tokenizer files of a directory
 *   added.c      tokens that are found in a text before anything else is done with it */
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

#endif
