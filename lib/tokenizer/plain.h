/* plain.h -- whether bytes are text that a tokenizer should be given: strict UTF-8 without NUL. */
#ifndef LM_LIB_TOKENIZER_PLAIN_H
#define LM_LIB_TOKENIZER_PLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

/* 0, or LM_EDATA with `name` and the first byte that is not of such text, counted from `from`. UTF-16
 * is called by its name. `name` may hold a line: "FILE:LINE". */
LM_CHECKED int lm_plain_text(const void *p, size_t n, uint64_t from, const char *name);

#endif
