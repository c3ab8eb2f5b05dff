/* jsonl.h -- files of questions: one JSON object a line, plain, gzip or zstd. */
#ifndef EVAL_DATA_JSONL_H
#define EVAL_DATA_JSONL_H

#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"
#include "longmix/json.h"

/* Call `each` for the object of every line, numbered from 0; lines of white space are none.
 * Messages about a line, those of lm_json's getters too, begin "FILE:LINE". `hash` (may be NULL):
 * of the file as it lies on disk. 0, an error of reading, or the first that `each` returns. */
LM_CHECKED int eval_jsonl(const char *path, uint64_t *hash,
                          int (*each)(void *arg, const lm_json *line, size_t i), void *arg);

/* Texts of a line, borrowed from it; the array is the caller's to free. */
typedef struct eval_texts {
    const char **v;
    size_t n;
} eval_texts;

/* Member `key`: a string, or an array of at least `least` strings. LM_EDATA names file, line and
 * field. */
LM_CHECKED int eval_get_texts(eval_texts *out, const lm_json *line, const char *key, size_t least);

/* Set member `key` to a text that may hold bytes which are no UTF-8, as an answer cut inside a
 * character does: each becomes U+FFFD. LM_ENOMEM, or 0. */
LM_CHECKED int eval_set_text(lm_json *o, const char *key, const char *text);

#endif
