/* tokenizer_json.h -- a SentencePiece model as a tokenizer.json, which the `tokenizers` library reads. */
#ifndef LM_LIB_TOKENIZER_SENTENCEPIECE_TOKENIZER_JSON_H
#define LM_LIB_TOKENIZER_SENTENCEPIECE_TOKENIZER_JSON_H

#include "longmix/buf.h"
#include "longmix/err.h"
#include "longmix/tokenizer.h"

/* Append a tokenizer.json that gives the ids of lm_encode for every text, and adds the BOS that the
 * model has. 1; 0 where this cannot be proven (no fast path, or pieces of equal score), with the
 * reason in why[size]; or LM_ENOMEM. */
LM_CHECKED int lm_tokenizer_json(const lm_tokenizer *t, lm_buf *out, char *why, size_t size);

/* Is it a SentencePiece model? */
bool lm_is_sentencepiece(const lm_tokenizer *t);

/* The vocabulary of a SentencePiece model where the fast path is in use; NULL where not. */
const struct lm_vocab *lm_sentencepiece_proven(const lm_tokenizer *t);

/* Append a JSON string of n bytes of UTF-8, as every tokenizer.json written here has them. 0 or
 * LM_ENOMEM. */
LM_CHECKED int lm_tokenizer_json_string(lm_buf *out, const char *s, size_t n);

#endif
