/* hugging_face.h -- a SentencePiece model as a tokenizer.json, which the `tokenizers` library reads. */
#ifndef LM_LIB_TOKENIZER_HUGGING_FACE_H
#define LM_LIB_TOKENIZER_HUGGING_FACE_H

#include "longmix/buf.h"
#include "longmix/err.h"
#include "longmix/tokenizer.h"

/* Append a tokenizer.json that gives the ids of lm_encode for every text, and adds the BOS that the
 * model has. 1; 0 where this cannot be proven (no fast path, or pieces of equal score), with the
 * reason in why[size]; or LM_ENOMEM. */
LM_CHECKED int lm_tokenizer_json(const lm_tokenizer *t, lm_buf *out, char *why, size_t size);

/* Whether id is a control piece or the unknown one: no text is encoded to the first. */
bool lm_tokenizer_is_special(const lm_tokenizer *t, uint32_t id);

/* The id of what has no piece, or -1. */
int64_t lm_tokenizer_unk(const lm_tokenizer *t);

#endif
