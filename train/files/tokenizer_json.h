/* tokenizer_json.h -- the files by which transformers' AutoTokenizer gives the ids of a model's
 * tokenizer.model. */
#ifndef TRAIN_FILES_TOKENIZER_JSON_H
#define TRAIN_FILES_TOKENIZER_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "longmix/err.h"

/* Write tokenizer.json and tokenizer_config.json next to the tokenizer.model of `dir`, if there is one.
 * With `keep`, a tokenizer.json that is there and has further tokens stays as it is; of a
 * tokenizer_config.json all members stay but the class. 0, also where nothing can be written, with the reason in note[size] (else empty); or
 * an error. */
LM_CHECKED int tokenizer_json_write(const char *dir, bool keep, char *note, size_t size);

#endif
