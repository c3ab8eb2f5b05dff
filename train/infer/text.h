/* text.h -- the tokenizer of a model directory: text to the ids that tr_infer takes, and back. It
 * opens without the model, because a session has to be opened for the length of its prompts. One
 * per thread; nothing here is locked. */
#ifndef TRAIN_INFER_TEXT_H
#define TRAIN_INFER_TEXT_H

#include <stdbool.h>

#include "lib/tokenizer/ids.h"
#include "longmix/buf.h"
#include "longmix/tokenizer.h"

typedef struct tr_text tr_text;

/* Open the tokenizer in a directory, as lm_tokenizer_open chooses it. LM_EDATA where a model directory
 * has none, or lm_tokenizer_open's errors. */
LM_CHECKED int tr_text_open(tr_text **out, const char *dir);
void tr_text_close(tr_text *t); /* NULL is allowed */

/* As lm_encoder_parse_special. */
void tr_text_parse_special(tr_text *t, bool parse);

const lm_tokenizer *tr_text_tokenizer(const tr_text *t); /* borrowed; NULL for a NULL `t` */

/* LM_EDATA where the tokenizer has more ids than the model's vocabulary of `vocab`. 0 for a NULL
 * `t`: nothing has to fit. */
LM_CHECKED int tr_text_check(const tr_text *t, size_t vocab);

/* Append the ids of n bytes of text (at most 2^30); `bos` puts the tokenizer's BOS before them
 * where it has one and they do not begin with it. On an error `out` is as it was. */
LM_CHECKED int tr_text_encode(tr_text *t, const char *text, size_t n, bool bos, lm_ids *out);

/* Append the text of n ids, and a NUL that `size` does not count. LM_EDATA for an id outside the
 * tokenizer's vocabulary. */
LM_CHECKED int tr_text_decode(const tr_text *t, const int32_t *ids, size_t n, lm_buf *out);

#endif
