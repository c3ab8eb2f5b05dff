/* gguf_tokenizer.h -- the tokenizer in a GGUF file, as files of a Hugging Face model directory. */
#ifndef TRAIN_IMPORT_GGUF_TOKENIZER_H
#define TRAIN_IMPORT_GGUF_TOKENIZER_H

#include "train/import/gguf_config.h"

typedef struct gguf_tokenizer {
    const char *name; /* of the file: tokenizer.json or tokenizer.model; NULL: the GGUF has none */
    lm_buf file;
    lm_json *config;  /* tokenizer_config.json, with the chat template */
    const char *note; /* what its user should know; "" */
} gguf_tokenizer;

/* Read the vocabulary and write both files in memory. Byte-level BPE ("gpt2") becomes a tokenizer.json
 * with the pre-tokenizer that tokenizer.ggml.pre names; SentencePiece's BPE ("llama") a
 * tokenizer.model. Other kinds, unknown names, and vocabularies and merges that disagree are LM_EDATA. */
LM_CHECKED int gguf_tokenizer_read(gguf_tokenizer *t, const gguf *g, const gguf_config *c);
void gguf_tokenizer_free(gguf_tokenizer *t);

#endif
