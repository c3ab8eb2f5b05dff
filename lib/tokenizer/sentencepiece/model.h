/* model.h -- a SentencePiece model file, read as protocol buffers. */
#ifndef LM_LIB_TOKENIZER_SENTENCEPIECE_MODEL_H
#define LM_LIB_TOKENIZER_SENTENCEPIECE_MODEL_H

#include "lib/tokenizer/bpe/vocab.h"

/* Read what decides how the model encodes. 1; 0 with `why` set where the file holds what this
 * reader does not know (SentencePiece may); or LM_ENOMEM. Borrows `data`. */
int lm_model_read(lm_model *m, const unsigned char *data, size_t size, char *why, size_t why_size);

#endif
