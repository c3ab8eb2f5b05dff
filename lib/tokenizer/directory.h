/* directory.h -- the tokenizer files of a directory. */
#ifndef LM_LIB_TOKENIZER_DIRECTORY_H
#define LM_LIB_TOKENIZER_DIRECTORY_H

#include <stddef.h>

#include "longmix/err.h"

/* Paths, in the order in which lm_tokenizer_open takes them: docs/models.md. */
typedef struct lm_tokenizer_files {
    char **path; /* owned, each by malloc */
    size_t n, cap;
} lm_tokenizer_files;

/* 0, also where there are none; LM_EIO, LM_ENOMEM. A zeroed struct is allowed to be freed. */
LM_CHECKED int lm_tokenizer_files_list(lm_tokenizer_files *out, const char *dir);
void lm_tokenizer_files_free(lm_tokenizer_files *f);

#endif
